#include "tests/unit/x509/support.h"

#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "tests/unit/x509/test_keys.h"

namespace test {

using namespace ceremony::x509;

namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::unique_ptr<EVP_PKEY, Free> Load(const char* pem) {
  BIO* bio = BIO_new_mem_buf(pem, -1);
  std::unique_ptr<EVP_PKEY, Free> key(PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  REQUIRE(key);
  return key;
}

// r||s as a token gives it, from the DER that OpenSSL gives.
base::Bytes RawOf(base::ByteView der, std::size_t half) {
  const unsigned char* at = der.data();
  ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  REQUIRE(signature != nullptr);
  base::Bytes raw(2 * half);
  BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw.data(), static_cast<int>(half));
  BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw.data() + half, static_cast<int>(half));
  ECDSA_SIG_free(signature);
  return raw;
}

template <typename T>
T Value(base::Result<T> result) {
  if (!result.ok()) FAIL(result.error().rule << ": " << result.error().message);
  return std::move(result).value();
}

// Spelled here once more, so that the table of the product is not its own judge.
std::string_view NameOfScheme(base::SignatureScheme scheme) {
  using Scheme = base::SignatureScheme;
  switch (scheme) {
    case Scheme::kEcdsa:
      return "ECDSA";
    case Scheme::kEd25519:
      return "Ed25519";
    case Scheme::kRsaPkcs1Sha256:
      return "PKCS1 SHA256";
    case Scheme::kRsaPkcs1Sha384:
      return "PKCS1 SHA384";
    case Scheme::kRsaPkcs1Sha512:
      return "PKCS1 SHA512";
    case Scheme::kRsaPssSha256:
      return "PSS SHA256";
    case Scheme::kRsaPssSha384:
      return "PSS SHA384";
    case Scheme::kRsaPssSha512:
      return "PSS SHA512";
  }
  return "";
}

}  // namespace

base::PublicKey PublicKeyOf(const char* private_pem) {
  const auto key = Load(private_pem);
  unsigned char* out = nullptr;
  const int size = i2d_PUBKEY(key.get(), &out);
  REQUIRE(size > 0);
  const base::Bytes spki(out, out + size);
  OPENSSL_free(out);
  return Value(base::PublicKey::FromSpki(spki));
}

base::Bytes SignWith(const char* private_pem, base::SignatureScheme scheme, base::ByteView message) {
  const auto key = Load(private_pem);
  const base::KeyAlgorithm algorithm = PublicKeyOf(private_pem).algorithm();
  const EVP_MD* digest = EVP_sha256();
  if (scheme == base::SignatureScheme::kEd25519) digest = nullptr;
  const std::string name(NameOfScheme(scheme));
  if (algorithm == base::KeyAlgorithm::kEcP384 || name.ends_with("SHA384")) digest = EVP_sha384();
  if (algorithm == base::KeyAlgorithm::kEcP521 || name.ends_with("SHA512")) digest = EVP_sha512();
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  REQUIRE(EVP_DigestSignInit(context.get(), &options, digest, nullptr, key.get()) == 1);
  if (name.starts_with("PSS")) {
    REQUIRE(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1);
    REQUIRE(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1);
  }
  std::size_t size = 0;
  REQUIRE(EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) == 1);
  base::Bytes signature(size);
  REQUIRE(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1);
  signature.resize(size);
  if (scheme != base::SignatureScheme::kEcdsa) return signature;
  const base::Curve curve = algorithm == base::KeyAlgorithm::kEcP256   ? base::Curve::kP256
                            : algorithm == base::KeyAlgorithm::kEcP384 ? base::Curve::kP384
                                                                       : base::Curve::kP521;
  return Value(base::RawToLowSDer(curve, RawOf(signature, base::FactsOf(algorithm).field_bytes)));
}

Profile RootOcaProfile() {
  Profile profile;
  profile.name = "smki-root-oca";
  profile.self_signed = true;
  profile.subject = {{"OU", StringEncoding::kPrintableString, "00"}, {"CN", StringEncoding::kPrintableString, "ZA"}};
  profile.validity = RelativeValidity{50, 0, 0};
  profile.key_algorithms = {base::KeyAlgorithm::kEcP256};
  profile.extensions = {
      {"keyUsage", true, false, KeyUsageRule{kKeyCertSign | kCrlSign}},
      {"basicConstraints", true, false, BasicConstraintsRule{true, std::nullopt}},
      {"certificatePolicies", true, false, CertificatePoliciesRule{{{"1.2.826.0.1.8641679.1.2.1.4", ""}}}},
      {"subjectKeyIdentifier", false, false, SubjectKeyIdentifierRule{2}},
      {"wrappedApexContinKey", false, true, RawExtensionRule{}},
  };
  return profile;
}

Profile IssuingOcaProfile() {
  Profile profile = RootOcaProfile();
  profile.name = "smki-issuing-oca";
  profile.self_signed = false;
  profile.subject = {{"OU", StringEncoding::kPrintableString, "07"},
                     {"CN", StringEncoding::kPrintableString, std::nullopt, 4}};
  profile.validity = RelativeValidity{25, 0, 0};
  profile.extensions[1].value = BasicConstraintsRule{true, 0};
  profile.extensions[4] = {"authorityKeyIdentifier", false, false, AuthorityKeyIdentifierRule{}};
  return profile;
}

Profile WithoutDomain(Profile profile) {
  for (ExtensionRule& rule : profile.extensions) {
    if (std::holds_alternative<CertificatePoliciesRule>(rule.value))
      rule.value = CertificatePoliciesRule{{{"1.2.3.4", ""}}};
  }
  return profile;
}

TbsInput RootInput(const char* private_pem) {
  TbsInput input{PublicKeyOf(private_pem)};
  input.serial = SerialFromRandom(Hex("ff0102030405060708090a0b0c0d0e0f"));
  input.not_before = kNow;
  return input;
}

Certificate Issue(const Profile& profile, const TbsInput& input, const char* issuer_key) {
  const Tbs tbs = Value(BuildTbs(profile, input));
  const ComparedTbs compared = Value(CompareTbs(Value(LintTbs(tbs)), profile, input));
  const ApprovedTbs approved = Value(ApproveTbs(compared, compared.Digest()));
  const base::Bytes signature =
      SignWith(issuer_key, FactsOf(approved.signature_algorithm()).scheme, approved.to_be_signed());
  return Value(FinishCertificate(approved, PublicKeyOf(issuer_key), signature));
}

Certificate RootOca() { return Issue(RootOcaProfile(), RootInput(kP256), kP256); }

Certificate IssuingOca(const Certificate& root) {
  TbsInput input = RootInput(kP256Other);
  input.subject = {{"CN", "Z1"}};
  input.authority = Authority{base::ToBytes(root.tbs().subject), KeyIdentifier(root.tbs().spki.bits, 2), {}, {}};
  return Issue(IssuingOcaProfile(), input, kP256);
}

bool Has(const std::vector<Finding>& findings, std::string_view rule) {
  for (const Finding& finding : findings) {
    if (finding.facts().id == rule) return true;
  }
  return false;
}

std::string Ids(const std::vector<Finding>& findings) {
  std::string ids;
  for (const Finding& finding : findings) ids += (ids.empty() ? "" : ", ") + std::string(finding.facts().id);
  return ids;
}

Folder::Folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "x509-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

Folder::~Folder() { std::filesystem::remove_all(path_); }

std::string Folder::Write(const std::string& name, std::string_view content) const {
  const std::string path = path_ + "/" + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

Output Run(const std::string& command) {
  Output output;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> buffer{};
  while (const std::size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) output.text.append(buffer.data(), got);
  const int status = pclose(pipe);
  output.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return output;
}

}  // namespace test
