// Judges chains of certificates and CRLs as Java's own PKIX does (java.security.cert), with nothing of ours:
//
//   java Judge.java < questions
//
// Each line of standard input is one question, its words set apart by tabs; each answer is one line of standard output.
//
//   chain ROOT CRLS CERTIFICATE...   verifies the certificates, the end entity first, up to ROOT, which is trusted. CRLS
//                                    are files joined by commas, and then every certificate must be found on none of
//                                    them; "-" looks for none. "good", or "bad: " and Java's reason.
//   facts CERTIFICATE                one JSON object: what Java reads in it.
//   crl FILE ISSUER                  verifies a CRL's signature: "good NUMBER REVOKED", or "bad: " and the reason.
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

final class Judge {
    private final CertificateFactory factory;

    private Judge() throws GeneralSecurityException {
        factory = CertificateFactory.getInstance("X.509");
    }

    private X509Certificate certificate(String path) throws GeneralSecurityException, IOException {
        try (InputStream in = Files.newInputStream(Path.of(path))) {
            return (X509Certificate) factory.generateCertificate(in);
        }
    }

    private X509CRL crl(String path) throws GeneralSecurityException, IOException {
        try (InputStream in = Files.newInputStream(Path.of(path))) {
            return (X509CRL) factory.generateCRL(in);
        }
    }

    private String chain(String[] words) throws GeneralSecurityException, IOException {
        List<X509Certificate> certificates = new ArrayList<>();
        for (int at = 3; at < words.length; ++at) certificates.add(certificate(words[at]));
        CertPath path = factory.generateCertPath(certificates);
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(certificate(words[1]), null)));
        parameters.setRevocationEnabled(!words[2].equals("-"));
        if (parameters.isRevocationEnabled()) {
            Collection<X509CRL> lists = new ArrayList<>();
            for (String list : words[2].split(",")) lists.add(crl(list));
            parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(lists)));
        }
        CertPathValidator.getInstance("PKIX").validate(path, parameters);
        return "good";
    }

    private static String quoted(Collection<String> words) {
        return words.stream().map(word -> '"' + word + '"').collect(Collectors.joining(", ", "[", "]"));
    }

    // The contents of the OCTET STRING that an extension is, in hexadecimal; "" without it.
    private static String value(X509Certificate certificate, String oid) {
        byte[] octets = certificate.getExtensionValue(oid);
        return octets == null ? "" : String.format("%0" + 2 * octets.length + "x", new BigInteger(1, octets));
    }

    private String facts(String[] words) throws GeneralSecurityException, IOException {
        X509Certificate certificate = certificate(words[1]);
        boolean[] usage = certificate.getKeyUsage();
        List<String> bits = new ArrayList<>();
        for (int bit = 0; usage != null && bit < usage.length; ++bit) if (usage[bit]) bits.add(Integer.toString(bit));
        Set<String> none = Set.of();
        Set<String> critical = certificate.getCriticalExtensionOIDs();
        Set<String> other = certificate.getNonCriticalExtensionOIDs();
        return String.format(
            "{\"version\": %d, \"serial_bits\": %d, \"path_length\": %d, \"usage\": %s, \"critical\": %s, \"other\": %s, "
                + "\"unsupported\": %b, \"names\": %d, \"key_identifier\": \"%s\", \"issuer_key_identifier\": \"%s\"}",
            certificate.getVersion(), certificate.getSerialNumber().bitLength(), certificate.getBasicConstraints(), quoted(bits),
            quoted(new TreeSet<>(critical == null ? none : critical)), quoted(new TreeSet<>(other == null ? none : other)),
            certificate.hasUnsupportedCriticalExtension(),
            certificate.getSubjectAlternativeNames() == null ? 0 : certificate.getSubjectAlternativeNames().size(),
            value(certificate, "2.5.29.14"), value(certificate, "2.5.29.35"));
    }

    private String list(String[] words) throws GeneralSecurityException, IOException {
        X509CRL list = crl(words[1]);
        list.verify(certificate(words[2]).getPublicKey());
        byte[] number = list.getExtensionValue("2.5.29.20");
        if (number == null) return "bad: there is no cRLNumber";
        // An OCTET STRING of an INTEGER, both of fewer than 128 octets.
        BigInteger value = new BigInteger(Arrays.copyOfRange(number, 4, number.length));
        return "good " + value + " " + (list.getRevokedCertificates() == null ? 0 : list.getRevokedCertificates().size());
    }

    private String answer(String[] words) {
        try {
            switch (words[0]) {
                case "chain": return chain(words);
                case "facts": return facts(words);
                case "crl": return list(words);
                default: return "bad: no such question";
            }
        } catch (GeneralSecurityException | IOException error) {
            return "bad: " + error.getMessage();
        }
    }

    public static void main(String[] arguments) throws Exception {
        Judge judge = new Judge();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) System.out.println(judge.answer(line.split("\t")));
    }
}
