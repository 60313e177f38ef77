#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/lint_parts.h"
#include "ceremony/x509/weak_key.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509::lint {
namespace {

void LintEcKey(const SpkiView& spki, const Curves& curves, Findings& findings) {
  const Header parameters = ReadElement(spki.algorithm.parameters);
  if (spki.algorithm.parameters.empty() || parameters.element.identifier != tag::kOid) {
    findings.Add(RuleId::kKey02, spki.algorithm.whole,
                 "the parameters of the EC key are not the object identifier of a named curve");
    return;
  }
  const auto curve = CurveOfOid(FindOid(parameters.element.content));
  if (!curve) {
    findings.Add(RuleId::kKey01, spki.algorithm.parameters,
                 fmt::format("the curve {} is none of P-256, P-384 and P-521", OidText(parameters.element.content)));
    return;
  }
  const std::size_t size = 1 + 2 * FieldBytes(*curve);
  if (spki.bits.size() != size || spki.bits[0] != 0x04) {
    const char* form = spki.bits.empty()                              ? "nothing"
                       : spki.bits[0] == 0x02 || spki.bits[0] == 0x03 ? "a compressed point"
                       : spki.bits[0] == 0x04                         ? "an uncompressed point"
                                                                      : "no point";
    findings.Add(RuleId::kKey03, spki.bits,
                 fmt::format("the EC key is {} of {} octets where an uncompressed point of {} must be", form,
                             spki.bits.size(), size));
    return;
  }
  if (!curves.IsOnCurve(*curve, spki.bits)) {
    findings.Add(RuleId::kKey04, spki.bits, "the point of the EC key is not on its curve");
    return;
  }
  CheckEcPoint(curves, *curve, spki.bits, spki.bits, findings);
}

void LintRsaKey(const SpkiView& spki, Findings& findings) {
  const Header parameters = ReadElement(spki.algorithm.parameters);
  if (FindOid(spki.algorithm.oid) == Oid::kRsaEncryption &&
      (spki.algorithm.parameters.empty() || parameters.element.identifier != tag::kNull)) {
    findings.Add(RuleId::kKey02, spki.algorithm.whole, "the parameters of the RSA key are not NULL");
  }
  if (!CheckDer(spki.bits, findings)) return;
  DerReader outer(spki.bits, "RSAPublicKey", findings);
  const auto sequence = outer.Take(tag::kSequence, "RSAPublicKey");
  if (!sequence) return;
  DerReader parts(sequence->content, "RSAPublicKey", findings);
  const auto modulus = parts.Take(tag::kInteger, "modulus");
  const auto exponent = parts.Take(tag::kInteger, "publicExponent");
  if (!modulus || !exponent || !parts.Finish() || modulus->content.empty() || exponent->content.empty()) return;

  base::ByteView number = modulus->content;
  const bool negative = (number[0] & 0x80U) != 0;
  while (!number.empty() && number[0] == 0) number = number.subspan(1);
  const bool short_number = number.size() < 256 || (number.size() == 256 && (number[0] & 0x80U) == 0);
  if (negative || short_number || (number.back() & 1U) == 0) {
    findings.Add(
        RuleId::kKey05, modulus->whole,
        fmt::format("the RSA modulus is {}", negative       ? "negative"
                                             : short_number ? fmt::format("{} octets, below 2048 bits", number.size())
                                                            : "even"));
  }
  if (!negative && !short_number) {
    if ((number[0] & 0x80U) == 0)
      findings.Add(
          RuleId::kKey05, modulus->whole,
          fmt::format("the RSA modulus has not the whole {} bits of its {} octets", number.size() * 8, number.size()));
    CheckRsaModulus(number, modulus->whole, findings);
  }
  const auto value = SmallIntegerOf(exponent->content);
  const bool huge = !value && (exponent->content[0] & 0x80U) == 0;  // above 2^31: allowed up to 2^256
  const bool odd = (exponent->content.back() & 1U) != 0;
  if (!odd || (!huge && (!value || *value < 65537)) || exponent->content.size() > 33) {
    findings.Add(
        RuleId::kKey06, exponent->whole,
        fmt::format("the RSA exponent {} is not odd and between 65537 and 2^256",
                    value ? std::to_string(*value) : "of " + std::to_string(exponent->content.size()) + " octets"));
  }
}

void LintRawKey(const SpkiView& spki, std::size_t size, Findings& findings) {
  if (!spki.algorithm.parameters.empty())
    findings.Add(RuleId::kKey02, spki.algorithm.parameters,
                 "an Edwards-curve key has parameters where there must be none");
  if (spki.bits.size() != size)
    findings.Add(RuleId::kKey03, spki.bits,
                 fmt::format("the Edwards-curve key has {} octets where {} must be", spki.bits.size(), size));
}

}  // namespace

void LintKey(const SpkiView& spki, const Curves& curves, Findings& findings) {
  const auto algorithm = FindOid(spki.algorithm.oid);
  if (algorithm == Oid::kEcPublicKey) return LintEcKey(spki, curves, findings);
  if (algorithm == Oid::kRsaEncryption || algorithm == Oid::kRsaPss) return LintRsaKey(spki, findings);
  if (algorithm == Oid::kEd25519) return LintRawKey(spki, 32, findings);
  if (algorithm == Oid::kEd448) return LintRawKey(spki, 57, findings);
  findings.Add(RuleId::kKey01, spki.algorithm.whole,
               fmt::format("the key algorithm {} is not known", OidText(spki.algorithm.oid)));
}

}  // namespace ceremony::x509::lint
