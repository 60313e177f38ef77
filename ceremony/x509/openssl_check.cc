#include "ceremony/x509/openssl_check.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/issue_parts.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/openssl_parts.h"
#include "ceremony/x509/profile.h"
#include "ceremony/x509/rule_id.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/owned.h"

namespace ceremony::x509 {
namespace {

using namespace openssl;

using X509Pointer = base::Owned<X509, X509_free>;
using StorePointer = base::Owned<X509_STORE, X509_STORE_free>;
using ContextPointer = base::Owned<X509_STORE_CTX, X509_STORE_CTX_free>;
using PolicyPointer = base::Owned<CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free>;
using PurposesPointer = base::Owned<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;
struct StackFree {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
using ChainPointer = std::unique_ptr<STACK_OF(X509), StackFree>;

base::Result<X509Pointer> Decode(base::ByteView der) { return Decoded<X509Pointer>(d2i_X509, der); }

std::string PoliciesOf(const CERTIFICATEPOLICIES* policies) {
  std::string text;
  for (int i = 0; i < sk_POLICYINFO_num(policies); ++i) {
    const POLICYINFO* policy = sk_POLICYINFO_value(policies, i);
    text += fmt::format("{}{}", text.empty() ? "" : ", ", Named(policy->policyid));
    for (int j = 0; j < sk_POLICYQUALINFO_num(policy->qualifiers); ++j) {
      const POLICYQUALINFO* qualifier = sk_POLICYQUALINFO_value(policy->qualifiers, j);
      const int type = OBJ_obj2nid(qualifier->pqualid);
      if (type == NID_id_qt_unotice) {
        const USERNOTICE* notice = qualifier->d.usernotice;
        if (notice->noticeref != nullptr || notice->exptext == nullptr ||
            ASN1_STRING_type(notice->exptext) != V_ASN1_UTF8STRING)
          return {};
        text += fmt::format(" (notice \"{}\")", SafeText(OctetsOf(notice->exptext)));
        continue;
      }
      if (type != NID_id_qt_cps) return {};
      text += fmt::format(" (CPS {})", SafeText(OctetsOf(qualifier->d.cpsuri)));
    }
  }
  return text;
}

// The value in the words of ExtensionText where OpenSSL has a decoder of its
// own for it; empty where it has none and bytes must do.
std::string ValueOf(X509* certificate, const X509_EXTENSION* extension) {
  const std::uint32_t flags = X509_get_extension_flags(certificate);
  const int nid = OBJ_obj2nid(
      X509_EXTENSION_get_object(const_cast<X509_EXTENSION*>(extension)));  // takes no const, changes nothing
  switch (nid) {
    case NID_basic_constraints: {
      const long length = X509_get_pathlen(certificate);
      return fmt::format("{}, {}", (flags & EXFLAG_CA) != 0 ? "CA" : "not a CA",
                         length >= 0 ? fmt::format("path length {}", length) : "no path length");
    }
    case NID_key_usage: {
      constexpr std::array<std::uint32_t, 9> kBits = {KU_DIGITAL_SIGNATURE, KU_NON_REPUDIATION, KU_KEY_ENCIPHERMENT,
                                                      KU_DATA_ENCIPHERMENT, KU_KEY_AGREEMENT,   KU_KEY_CERT_SIGN,
                                                      KU_CRL_SIGN,          KU_ENCIPHER_ONLY,   KU_DECIPHER_ONLY};
      const std::uint32_t usage = X509_get_key_usage(certificate);
      unsigned bits = 0;
      for (unsigned bit = 0; bit < kBits.size(); ++bit) bits |= (usage & kBits[bit]) != 0 ? 1U << bit : 0;
      return KeyUsageText(static_cast<std::uint16_t>(bits));
    }
    case NID_subject_key_identifier: {
      const ASN1_OCTET_STRING* key_id = X509_get0_subject_key_id(certificate);
      return key_id == nullptr ? "undecodable" : HexOf(key_id);
    }
    case NID_authority_key_identifier:
      return AuthorityKeyOf(extension);
    case NID_subject_alt_name:
      return AlternativeNamesOf(extension);
    case NID_crl_distribution_points:
      return DistributionPointsOf(extension);
    case NID_info_access:
      return AccessOf(extension);
    case NID_name_constraints:
      return NameConstraintsOf(extension);
    case NID_certificate_policies: {
      const PolicyPointer policies(
          static_cast<CERTIFICATEPOLICIES*>(X509V3_EXT_d2i(const_cast<X509_EXTENSION*>(extension))));
      return policies ? PoliciesOf(policies.get()) : "undecodable";
    }
    case NID_ext_key_usage: {
      const PurposesPointer purposes(
          static_cast<EXTENDED_KEY_USAGE*>(X509V3_EXT_d2i(const_cast<X509_EXTENSION*>(extension))));
      if (!purposes) return "undecodable";
      std::string text;
      for (int i = 0; i < sk_ASN1_OBJECT_num(purposes.get()); ++i)
        text += fmt::format("{}{}", text.empty() ? "" : ", ", Named(sk_ASN1_OBJECT_value(purposes.get(), i)));
      return text;
    }
    default:
      return {};
  }
}

Fields FieldsFrom(X509* certificate) {
  Fields fields;
  fields.version = static_cast<unsigned>(X509_get_version(certificate) + 1);
  fields.serial_hex = IntegerOf(X509_get0_serialNumber(certificate));
  fields.signature_algorithm = AlgorithmOf(X509_get0_tbs_sigalg(certificate));
  fields.issuer = NameOf(X509_get_issuer_name(certificate));
  fields.issuer_der_hex = base::HexEncode(Encode(i2d_X509_NAME, X509_get_issuer_name(certificate)));
  fields.not_before = TimeOf(X509_get0_notBefore(certificate));
  fields.not_after = TimeOf(X509_get0_notAfter(certificate));
  fields.subject = NameOf(X509_get_subject_name(certificate));
  fields.subject_der_hex = base::HexEncode(Encode(i2d_X509_NAME, X509_get_subject_name(certificate)));
  fields.key_algorithm = KeyOf(X509_get0_pubkey(certificate));
  const base::Bytes spki = Encode(i2d_X509_PUBKEY, X509_get_X509_PUBKEY(certificate));
  fields.spki_der_hex = base::HexEncode(spki);
  fields.spki_sha256 = base::Sha256Hex(base::ByteView(spki));
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    X509_EXTENSION* extension = X509_get_ext(certificate, i);
    ExtensionFields out;
    out.oid = Dotted(X509_EXTENSION_get_object(extension));
    out.name = Named(X509_EXTENSION_get_object(extension));
    out.critical = X509_EXTENSION_get_critical(extension) == 1;
    out.der_hex = HexOf(X509_EXTENSION_get_data(extension));
    out.text = ValueOf(certificate, extension);
    if (out.text.empty()) out.text = "DER " + out.der_hex;
    fields.extensions.push_back(std::move(out));
  }
  return fields;
}

// `known` is one that is decoded already; a self-signed certificate is its own root.
base::Result<ChainPointer> DecodeAll(const std::vector<base::Bytes>& certificates, const char* what,
                                     const base::Result<X509Pointer>& known, base::ByteView known_der) {
  ChainPointer chain(sk_X509_new_null());
  for (const base::Bytes& der : certificates) {
    if (known && std::ranges::equal(der, known_der)) {
      X509_up_ref(known->get());
      sk_X509_push(chain.get(), known->get());
      continue;
    }
    auto certificate = Decode(der);
    if (!certificate) return std::move(certificate).error().Prefixed(what);
    sk_X509_push(chain.get(), std::move(certificate).value().release());
  }
  return chain;
}

// OpenSSL reports each complaint through this; returning 1 lets it go on to the next.
int CollectComplaint(int ok, X509_STORE_CTX* context) {
  if (ok == 1) return 1;
  auto* findings = static_cast<std::vector<Finding>*>(X509_STORE_CTX_get_app_data(context));
  const int error = X509_STORE_CTX_get_error(context);
  findings->push_back(
      {RuleId::kOpenssl01, 0,
       fmt::format("OpenSSL: {} (error {}, certificate {} of the chain)", X509_verify_cert_error_string(error), error,
                   X509_STORE_CTX_get_error_depth(context))});
  return 1;
}

}  // namespace

base::Result<Fields> OpensslFields(base::ByteView certificate_der) {
  KC_ASSIGN_OR_RETURN(const X509Pointer certificate, Decode(certificate_der));
  Findings findings(certificate_der);
  CertificateView view;
  if (!ParseCertificate(certificate_der, view, findings)) return parts::Malformed("certificate", findings);
  KC_RETURN_IF_ERROR(CheckSameTbs(i2d_re_X509_tbs, certificate.get(), view.tbs.whole));
  return FieldsFrom(certificate.get());
}

base::Result<Fields> OpensslTbsFields(base::ByteView tbs_der) {
  Findings findings(tbs_der);
  TbsView view;
  if (!ParseTbs(tbs_der, view, findings)) return parts::Malformed("to-be-signed certificate", findings);
  return OpensslFields(Unsigned(view.whole, view.signature.whole));
}

Comparison CompareDecoders(const Fields& openssl, const Fields& ours) {
  Comparison comparison;
  const auto add = [&](std::string field, const std::string& a, const std::string& b) {
    comparison.Add({std::move(field), a, b, a == b, 0});
  };
  add("version", std::to_string(openssl.version), std::to_string(ours.version));
  add("serial number", openssl.serial_hex, ours.serial_hex);
  add("signature algorithm", openssl.signature_algorithm, ours.signature_algorithm);
  add("issuer", openssl.issuer, ours.issuer);
  add("issuer DER", openssl.issuer_der_hex, ours.issuer_der_hex);
  add("not before", openssl.not_before, ours.not_before);
  add("not after", openssl.not_after, ours.not_after);
  add("subject", openssl.subject, ours.subject);
  add("subject DER", openssl.subject_der_hex, ours.subject_der_hex);
  add("key algorithm", openssl.key_algorithm, ours.key_algorithm);
  add("public key DER", openssl.spki_der_hex, ours.spki_der_hex);
  const std::size_t count = std::max(openssl.extensions.size(), ours.extensions.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto spell = [&](const std::vector<ExtensionFields>& list) {
      if (i >= list.size()) return std::string("(absent)");
      return fmt::format("{} {}{} [{}]", list[i].oid, list[i].critical ? "critical, " : "", list[i].text,
                         list[i].der_hex);
    };
    const std::string name = i < ours.extensions.size() ? ours.extensions[i].name : openssl.extensions[i].name;
    add("extension " + name, spell(openssl.extensions), spell(ours.extensions));
  }
  return comparison;
}

std::vector<Finding> OpensslVerify(base::ByteView certificate_der, const std::vector<base::Bytes>& intermediates,
                                   const std::vector<base::Bytes>& roots, std::int64_t at_time) {
  std::vector<Finding> findings;
  const auto undecodable = [&](const base::Error& error) {
    findings.push_back({RuleId::kOpenssl02, 0, error.message});
  };
  const auto certificate = Decode(certificate_der);
  const auto chain = DecodeAll(intermediates, "intermediate certificate", certificate, certificate_der);
  const auto anchors = DecodeAll(roots, "root certificate", certificate, certificate_der);
  if (!certificate) undecodable(certificate.error());
  if (!chain) undecodable(chain.error());
  if (!anchors) undecodable(anchors.error());
  if (!findings.empty()) return findings;

  const StorePointer store(X509_STORE_new());
  const ContextPointer context(X509_STORE_CTX_new());
  for (int i = 0; i < sk_X509_num(anchors->get()); ++i)
    X509_STORE_add_cert(store.get(), sk_X509_value(anchors->get(), i));
  if (X509_STORE_CTX_init(context.get(), store.get(), certificate->get(), chain->get()) != 1) {
    findings.push_back({RuleId::kOpenssl01, 0, "OpenSSL cannot verify: " + LastError()});
    return findings;
  }
  X509_STORE_CTX_set_app_data(context.get(), &findings);
  X509_STORE_CTX_set_verify_cb(context.get(), CollectComplaint);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, static_cast<std::time_t>(at_time));
  X509_VERIFY_PARAM_set_flags(parameters,
                              X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE | X509_V_FLAG_POLICY_CHECK);
  if (X509_verify_cert(context.get()) != 1 && findings.empty()) {
    findings.push_back(
        {RuleId::kOpenssl01, 0,
         fmt::format("OpenSSL: {}", X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())))});
  }
  const std::uint32_t flags = X509_get_extension_flags(certificate->get());
  if ((flags & EXFLAG_INVALID) != 0) findings.push_back({RuleId::kOpenssl02, 0, "OpenSSL: an extension is malformed"});
  if ((flags & EXFLAG_CA) != 0) {
    // 1 is "a CA by its basicConstraints"; every other answer is a guess or a no.
    const int ca = X509_check_ca(certificate->get());
    if (ca != 1)
      findings.push_back({RuleId::kOpenssl03, 0, fmt::format("OpenSSL: X509_check_ca says {} where 1 is a CA", ca)});
    if (X509_check_purpose(certificate->get(), X509_PURPOSE_ANY, 1) != 1)
      findings.push_back({RuleId::kOpenssl03, 0, "OpenSSL: X509_check_purpose refuses it as a CA"});
  }
  ERR_clear_error();
  return findings;
}

}  // namespace ceremony::x509
