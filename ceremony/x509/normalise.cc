#include "ceremony/x509/normalise.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "ceremony/x509/curves.h"
#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/der_writer.h"
#include "ceremony/x509/lint.h"
#include "ceremony/x509/verify_signature.h"
#include "hsm/base/counted.h"

namespace ceremony::x509 {
namespace {

base::Error NoSignature(const std::string& why) {
  return base::MakeError(base::ErrorCode::kInvalidInput, "the signature " + why);
}

// The number without leading zeros; what DER would have asked for goes to `repairs`.
base::ByteView Magnitude(const Header& integer, const char* name, std::vector<std::string>& repairs) {
  const base::ByteView content = integer.element.content;
  const auto first = std::find_if(content.begin(), content.end(), [](std::uint8_t octet) { return octet != 0; });
  const base::ByteView number = content.subspan(static_cast<std::size_t>(first - content.begin()));
  const std::size_t zeros = content.size() - number.size();
  const std::size_t needed = !number.empty() && (number[0] & 0x80U) != 0 ? 1 : 0;
  if (integer.fault == HeaderFault::kLengthNotMinimal)
    repairs.push_back(fmt::format("{}: its length is encoded in the fewest octets", name));
  if (zeros > needed) {
    repairs.push_back(
        fmt::format("{}: {} redundant leading octet{} dropped", name, zeros - needed, zeros - needed == 1 ? "" : "s"));
  }
  if (zeros < needed) repairs.push_back(fmt::format("{}: the leading 00 that keeps it positive put back", name));
  return number;
}

base::Bytes EncodeNumbers(base::ByteView r, base::ByteView s) {
  DerWriter writer;
  writer.Nested(tag::kSequence, [&] {
    writer.UnsignedInteger(r);
    writer.UnsignedInteger(s);
  });
  return std::move(writer).Take();
}

// Errors of a finding that another encoding of the signature does not mend.
base::Result<void> MustBeClean(const std::vector<Finding>& findings) {
  const auto breach = std::find_if(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.facts().severity == Severity::kBreach;
  });
  if (breach == findings.end()) return {};
  return base::Refusal("NORMALISE-01", "the certificate would still break a rule: " + breach->Text(),
                       "only the encoding of the signature can be mended; the issuer must make a new certificate");
}

}  // namespace

base::Result<NormalisedSignature> NormaliseSignature(base::Curve curve, base::ByteView signature) {
  const std::size_t half = FieldBytes(curve);
  NormalisedSignature out;
  const Header sequence = ReadElement(signature);
  const bool wrapped = !sequence.element.whole.empty() && sequence.element.identifier == tag::kSequence &&
                       sequence.element.whole.size() == signature.size();
  base::ByteView r;
  base::ByteView s;
  if (wrapped) {
    const base::ByteView content = sequence.element.content;
    const Header first = ReadElement(content);
    if (first.element.whole.empty() || first.element.identifier != tag::kInteger)
      return NoSignature("has no INTEGER r");
    const base::ByteView rest = content.subspan(first.element.whole.size());
    const Header second = ReadElement(rest);
    if (second.element.whole.empty() || second.element.identifier != tag::kInteger)
      return NoSignature("has no INTEGER s");
    if (second.element.whole.size() != rest.size())
      return NoSignature(fmt::format("has {} octets after s", rest.size() - second.element.whole.size()));
    if (sequence.fault == HeaderFault::kLengthNotMinimal)
      out.repairs.emplace_back("the SEQUENCE: its length is encoded in the fewest octets");
    r = Magnitude(first, "r", out.repairs);
    s = Magnitude(second, "s", out.repairs);
  } else if (signature.size() == 2 * half) {
    out.repairs.push_back(fmt::format("raw r||s of {} octets made a SEQUENCE of two INTEGERs", signature.size()));
    const auto strip = [](base::ByteView number) {
      while (!number.empty() && number[0] == 0) number = number.subspan(1);
      return number;
    };
    r = strip(signature.first(half));
    s = strip(signature.last(half));
  } else {
    return NoSignature(fmt::format("of {} octets is neither a SEQUENCE of two INTEGERs nor raw r||s of {} octets",
                                   signature.size(), 2 * half));
  }
  if (r.size() > half || s.size() > half)
    return NoSignature(fmt::format("has r of {} and s of {} octets, {} are the most", r.size(), s.size(), half));
  out.der = EncodeNumbers(r, s);
  KC_RETURN_IF_ERROR(base::CheckStrictDer(curve, out.der));
  return out;
}

base::Result<NormalisedCertificate> NormaliseCertificate(base::ByteView der, const base::PublicKey& issuer_key) {
  const auto curve = base::FactsOf(issuer_key.algorithm()).curve;
  if (!curve)
    return base::Refusal("NORMALISE-02", fmt::format("an {} key makes no ECDSA signatures, whose encoding could vary",
                                                     base::FactsOf(issuer_key.algorithm()).title));
  Findings findings(der);
  CertificateView view;
  if (!ParseCertificate(der, view, findings)) {
    return base::Refusal("NORMALISE-01", findings.empty() ? "it is no certificate"
                                                          : "it is no certificate: " + findings.list().front().Text());
  }
  auto signature = NormaliseSignature(*curve, view.signature);
  if (!signature) return base::Refusal("NORMALISE-03", signature.error().message);
  if (const auto before = VerifySignature(view, signature->der, issuer_key); !before)
    return base::Refusal("NORMALISE-03",
                         "the signature does not verify, however leniently it is read: " + before.error().message,
                         "is --issuer the certificate of the CA that signed it?");

  NormalisedCertificate out;
  DerWriter writer;
  writer.Nested(tag::kSequence, [&] {
    writer.Raw(view.tbs.whole);
    writer.Raw(view.algorithm.whole);
    writer.BitString(signature->der);
  });
  out.der = std::move(writer).Take();
  out.repairs = std::move(signature->repairs);
  // The signature is the last part of a certificate.
  const auto behind = static_cast<std::size_t>(&der.back() - &view.signature.back());
  const bool is_shorter = out.der.size() + behind < der.size();
  const bool is_changed = behind == 0 && !std::ranges::equal(out.der, der);
  if (out.repairs.empty() && (is_shorter || is_changed))
    out.repairs.emplace_back("the certificate around its parts: lengths are encoded in the fewest octets");
  if (behind > 0) out.repairs.push_back(base::Counted(behind, "octet", "octets") + " behind it dropped");

  KC_RETURN_IF_ERROR(MustBeClean(LintCertificate(out.der)));
  Findings after(out.der);
  CertificateView again;
  if (!ParseCertificate(out.der, again, after) || !after.empty() ||
      !std::equal(again.tbs.whole.begin(), again.tbs.whole.end(), view.tbs.whole.begin(), view.tbs.whole.end()))
    return base::MakeError(base::ErrorCode::kInternal, "the normalised certificate has another TBS than before");
  KC_RETURN_IF_ERROR(VerifySignature(again, again.signature, issuer_key));
  return out;
}

}  // namespace ceremony::x509
