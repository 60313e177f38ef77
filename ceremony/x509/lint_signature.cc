#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/lint_parts.h"
#include "ceremony/x509/lint_set_tables.h"
#include "ceremony/x509/signature_algorithm.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509::lint {
namespace {

// Whether a number is below the order of the curve of the key that signed: that
// of a self-signed certificate is known (nothing is said where it is no curve of
// ours), and otherwise the size of the number picks the smallest curve.
bool MayBeBelowOrder(const TbsView* self_signed, const Curves& curves, base::ByteView number) {
  if (self_signed != nullptr) {
    const auto curve = CurveOfOid(FindOid(ReadElement(self_signed->spki.algorithm.parameters).element.content));
    return !curve || curves.IsBelowOrder(*curve, number);
  }
  for (const base::Curve curve : {base::Curve::kP256, base::Curve::kP384, base::Curve::kP521}) {
    if (number.size() <= FieldBytes(curve)) return curves.IsBelowOrder(curve, number);
  }
  return false;
}

void LintNumber(base::ByteView content, const char* name, const TbsView* self_signed, const Curves& curves,
                Findings& findings) {
  if (content.empty()) {
    findings.Add(RuleId::kSignature03, content, fmt::format("{} has no octets", name));
    return;
  }
  if (content.size() > 1 && content[0] == 0 && (content[1] & 0x80U) == 0) {
    findings.Add(RuleId::kSignature03, content,
                 fmt::format("{} begins with a redundant 00 before {:02x}", name, content[1]));
  }
  if (content.size() > 1 && content[0] == 0xff && (content[1] & 0x80U) != 0) {
    findings.Add(RuleId::kSignature03, content,
                 fmt::format("{} begins with a redundant ff before {:02x}", name, content[1]));
  }
  const bool zero = std::all_of(content.begin(), content.end(), [](std::uint8_t octet) { return octet == 0; });
  if (zero || (content[0] & 0x80U) != 0) {
    findings.Add(RuleId::kSignature04, content,
                 fmt::format("{} is {}", name, zero ? "zero" : "negative: its leading 00 is missing"));
    return;
  }
  base::ByteView number = content;
  while (number[0] == 0) number = number.subspan(1);
  if (!MayBeBelowOrder(self_signed, curves, number)) {
    findings.Add(RuleId::kSignature04, content, fmt::format("{} is not below the order of the curve", name));
  }
}

// r and s stand in a BIT STRING, where the walk over the certificate does not look.
void LintEcdsa(const SignatureParts& all, const Curves& curves, Findings& findings) {
  const base::ByteView signature = all.signature;
  const auto read = [&](base::ByteView bytes, std::uint8_t identifier, const char* what) -> std::optional<Element> {
    const Header header = ReadElement(bytes);
    if (header.element.whole.empty() || header.element.identifier != identifier) {
      findings.Add(RuleId::kSignature02, bytes, fmt::format("the ECDSA signature has no {} here", what));
      return std::nullopt;
    }
    if (header.fault == HeaderFault::kLengthNotMinimal)
      findings.Add(RuleId::kDerLength03, bytes,
                   fmt::format("the length of the signature's {} is not encoded in the fewest octets", what));
    return header.element;
  };
  const auto sequence = read(signature, tag::kSequence, "SEQUENCE");
  if (!sequence) return;
  if (sequence->whole.size() < signature.size()) {
    findings.Add(RuleId::kSignature05, signature.data() + sequence->whole.size(),
                 fmt::format("{} octets follow the ECDSA signature", signature.size() - sequence->whole.size()));
  }
  const auto r = read(sequence->content, tag::kInteger, "INTEGER r");
  if (!r) return;
  const base::ByteView after_r = sequence->content.subspan(r->whole.size());
  const auto s = read(after_r, tag::kInteger, "INTEGER s");
  if (!s) return;
  if (s->whole.size() < after_r.size()) {
    findings.Add(RuleId::kSignature05, after_r.data() + s->whole.size(),
                 fmt::format("{} octets follow s within the ECDSA signature", after_r.size() - s->whole.size()));
  }
  LintNumber(r->content, "r", all.self_signed, curves, findings);
  LintNumber(s->content, "s", all.self_signed, curves, findings);
}

void LintSize(base::ByteView signature, std::size_t size, Findings& findings) {
  if (signature.size() == size) return;
  findings.Add(RuleId::kSignature06, signature,
               fmt::format("the signature has {} octets where {} must be", signature.size(), size));
}

// Octets of the modulus of a self-signed RSA certificate; 0 when it is not known.
std::size_t ModulusSize(const TbsView* self_signed) {
  if (self_signed == nullptr) return 0;
  const TbsView& tbs = *self_signed;
  Findings quiet(tbs.spki.bits);
  DerReader outer(tbs.spki.bits, "RSAPublicKey", quiet);
  const auto sequence = outer.Take(tag::kSequence, "RSAPublicKey");
  if (!sequence) return 0;
  DerReader parts(sequence->content, "RSAPublicKey", quiet);
  const auto modulus = parts.Take(tag::kInteger, "modulus");
  if (!modulus) return 0;
  base::ByteView number = modulus->content;
  while (!number.empty() && number[0] == 0) number = number.subspan(1);
  return number.size();
}

enum class Family { kNone, kEcdsa, kEdwards25519, kEdwards448, kRsa };

struct AlgorithmRow {
  Oid oid;
  Family family;
  bool weak;
};
constexpr AlgorithmRow kAlgorithms[] = {
    {Oid::kEcdsaSha256, Family::kEcdsa, false},
    {Oid::kEcdsaSha384, Family::kEcdsa, false},
    {Oid::kEcdsaSha512, Family::kEcdsa, false},
    {Oid::kEcdsaSha1, Family::kEcdsa, true},
    {Oid::kEd25519, Family::kEdwards25519, false},
    {Oid::kEd448, Family::kEdwards448, false},
    {Oid::kSha256Rsa, Family::kRsa, false},
    {Oid::kSha384Rsa, Family::kRsa, false},
    {Oid::kSha512Rsa, Family::kRsa, false},
    {Oid::kSha1Rsa, Family::kRsa, true},
    {Oid::kMd5Rsa, Family::kRsa, true},
    {Oid::kRsaPss, Family::kRsa, false},
};

const AlgorithmRow* FindRow(base::ByteView oid) {
  const auto known = FindOid(oid);
  const auto row = std::find_if(std::begin(kAlgorithms), std::end(kAlgorithms),
                                [&](const AlgorithmRow& each) { return known == each.oid; });
  return row == std::end(kAlgorithms) ? nullptr : row;
}

Family KeyFamily(const SpkiView& spki) {
  const auto algorithm = FindOid(spki.algorithm.oid);
  if (algorithm == Oid::kEcPublicKey) return Family::kEcdsa;
  if (algorithm == Oid::kEd25519) return Family::kEdwards25519;
  if (algorithm == Oid::kEd448) return Family::kEdwards448;
  if (algorithm == Oid::kRsaEncryption || algorithm == Oid::kRsaPss) return Family::kRsa;
  return Family::kNone;
}

// A CA that goes over to a new key certifies it under its own name, and signs with the old one: self-issued, not
// self-signed (RFC 5280 section 3.2).
bool IsSelfSigned(const TbsView& tbs) {
  if (!IsSelfIssued(tbs)) return false;
  const base::ByteView authority = set::AuthorityKeyIdOf(tbs);
  return tbs.Find(Oid::kAuthorityKeyIdentifier) == nullptr ||
         (!authority.empty() && std::ranges::equal(authority, set::SubjectKeyIdOf(tbs)));
}

}  // namespace

void LintAlgorithm(const AlgorithmView& algorithm, Findings& findings) {
  const AlgorithmRow* row = FindRow(algorithm.oid);
  if (row == nullptr || row->weak) {
    findings.Add(RuleId::kAlgorithm03, algorithm.whole,
                 fmt::format("the signature algorithm {} is {}", OidText(algorithm.oid),
                             row == nullptr ? "not known" : "too weak to be used"));
    return;
  }
  if (row->oid == Oid::kRsaPss) {
    if (FindByIdentifier(algorithm.whole) == nullptr) {
      findings.Add(RuleId::kAlgorithm02, algorithm.whole,
                   "the RSA-PSS parameters are none of those with SHA-256, SHA-384 or SHA-512, MGF1 with the same "
                   "digest and a salt of its size");
    }
    return;
  }
  const bool wants_null = row->family == Family::kRsa;
  const bool has_null = algorithm.parameters.size() >= 2 && algorithm.parameters[0] == tag::kNull;
  if (wants_null ? !has_null : !algorithm.parameters.empty()) {
    findings.Add(
        RuleId::kAlgorithm02, algorithm.whole,
        fmt::format("{} must have {} parameters and has {}", OidText(algorithm.oid), wants_null ? "NULL" : "no",
                    algorithm.parameters.empty() ? "none"
                    : has_null                   ? "NULL"
                                                 : "others"));
  }
}

void LintSignatureParts(const SignatureParts& all, const Curves& curves, Findings& findings) {
  const AlgorithmView& outer = *all.outer;
  if (!std::ranges::equal(all.inner->whole, outer.whole)) {
    findings.Add(RuleId::kAlgorithm01, outer.whole,
                 fmt::format("signatureAlgorithm is {} inside and {} outside", HexExcerpt(all.inner->whole),
                             HexExcerpt(outer.whole)));
  }
  if (all.unused_bits != 0) {
    findings.Add(RuleId::kSignature01, all.signature,
                 fmt::format("the signature states {} unused bits", all.unused_bits));
  }
  const AlgorithmRow* row = FindRow(outer.oid);
  if (row == nullptr) return;  // X509-ALGORITHM-03 or -01 has said so
  if (all.self_signed != nullptr && row->family != KeyFamily(all.self_signed->spki)) {
    findings.Add(RuleId::kSignature07, outer.whole,
                 fmt::format("a self-signed certificate for a key of {} has a signature of {}",
                             OidText(all.self_signed->spki.algorithm.oid), OidText(outer.oid)));
    return;
  }
  switch (row->family) {
    case Family::kEcdsa:
      return LintEcdsa(all, curves, findings);
    case Family::kEdwards25519:
      return LintSize(all.signature, 64, findings);
    case Family::kEdwards448:
      return LintSize(all.signature, 114, findings);
    case Family::kRsa:
      if (const std::size_t size = ModulusSize(all.self_signed); size != 0)
        return LintSize(all.signature, size, findings);
      if (all.signature.size() < 256)
        findings.Add(RuleId::kSignature06, all.signature,
                     fmt::format("the RSA signature has {} octets, below 2048 bits", all.signature.size()));
      return;
    case Family::kNone:
      return;
  }
}

void LintSignature(const CertificateView& certificate, const Curves& curves, Findings& findings) {
  LintSignatureParts({&certificate.tbs.signature, &certificate.algorithm, certificate.signature,
                      certificate.signature_unused_bits, IsSelfSigned(certificate.tbs) ? &certificate.tbs : nullptr},
                     curves, findings);
}

}  // namespace ceremony::x509::lint
