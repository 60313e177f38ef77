// What OpenSSL reads in a CRL.
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <vector>

#include "ceremony/x509/crl.h"
#include "ceremony/x509/issue_parts.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/openssl_parts.h"
#include "hsm/base/encoding.h"
#include "hsm/base/owned.h"

namespace ceremony::x509 {
namespace {

using namespace openssl;
using CrlPointer = base::Owned<X509_CRL, X509_CRL_free>;
using PointPointer = base::Owned<ISSUING_DIST_POINT, ISSUING_DIST_POINT_free>;
using NumberPointer = base::Owned<ASN1_INTEGER, ASN1_INTEGER_free>;
using ReasonPointer = base::Owned<ASN1_ENUMERATED, ASN1_ENUMERATED_free>;
using DatePointer = base::Owned<ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free>;

std::string PointOf(X509_EXTENSION* extension) {
  const PointPointer point(static_cast<ISSUING_DIST_POINT*>(X509V3_EXT_d2i(extension)));
  if (!point) return "undecodable";
  if (point->onlysomereasons != nullptr) return {};
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (point->distpoint != nullptr) {
    if (point->distpoint->type != 0 || sk_GENERAL_NAME_num(point->distpoint->name.fullname) != 1) return {};
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(point->distpoint->name.fullname, 0);
    if (name->type != GEN_URI) return {};
    add("URI " + SafeText(OctetsOf(name->d.uniformResourceIdentifier)));
  }
  if (point->onlyuser > 0) add("only user certificates");
  if (point->onlyCA > 0) add("only CA certificates");
  if (point->indirectCRL > 0) add("indirect");
  if (point->onlyattr > 0) add("only attribute certificates");
  return text;
}

std::string NumberOf(X509_EXTENSION* extension) {
  const NumberPointer number(static_cast<ASN1_INTEGER*>(X509V3_EXT_d2i(extension)));
  if (!number) return "undecodable";
  std::uint64_t value = 0;
  if (ASN1_INTEGER_get_uint64(&value, number.get()) == 1) return std::to_string(value);
  ERR_clear_error();
  if ((ASN1_STRING_type(number.get()) & V_ASN1_NEG) != 0) return {};
  return "hex " + HexOf(number.get());
}

std::string ReasonOf(X509_EXTENSION* extension) {
  const ReasonPointer reason(static_cast<ASN1_ENUMERATED*>(X509V3_EXT_d2i(extension)));
  if (!reason) return "undecodable";
  const long value = ASN1_ENUMERATED_get(reason.get());
  return value < 0 ? std::string() : RevocationReasonName(static_cast<std::uint32_t>(value));
}

// In the words of ExtensionText; empty where bytes must do.
std::string ValueOf(X509_EXTENSION* extension) {
  switch (OBJ_obj2nid(X509_EXTENSION_get_object(extension))) {
    case NID_authority_key_identifier:
      return AuthorityKeyOf(extension);
    case NID_crl_number:
      return NumberOf(extension);
    case NID_issuing_distribution_point:
      return PointOf(extension);
    case NID_crl_reason:
      return ReasonOf(extension);
    case NID_invalidity_date: {
      const DatePointer date(static_cast<ASN1_GENERALIZEDTIME*>(X509V3_EXT_d2i(extension)));
      return date ? TimeOf(date.get()) : "undecodable";
    }
    default:
      return {};
  }
}

std::vector<CrlExtensionFields> Spell(const STACK_OF(X509_EXTENSION) * extensions) {
  std::vector<CrlExtensionFields> all;
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions); ++i) {
    X509_EXTENSION* extension = sk_X509_EXTENSION_value(extensions, i);
    CrlExtensionFields out;
    out.name = Named(X509_EXTENSION_get_object(extension));
    out.critical = X509_EXTENSION_get_critical(extension) == 1;
    out.der_hex = HexOf(X509_EXTENSION_get_data(extension));
    out.text = ValueOf(extension);
    if (out.text.empty()) out.text = "DER " + out.der_hex;
    all.push_back(std::move(out));
  }
  return all;
}

CrlFields FieldsFrom(X509_CRL* crl) {
  CrlFields fields;
  fields.version = static_cast<unsigned>(X509_CRL_get_version(crl) + 1);
  // OpenSSL shows the outer one only; Crl::VerifiedBy and the lint hold the inner to it.
  const X509_ALGOR* algorithm = nullptr;
  X509_CRL_get0_signature(crl, nullptr, &algorithm);
  fields.signature_algorithm = AlgorithmOf(algorithm);
  fields.issuer = NameOf(X509_CRL_get_issuer(crl));
  fields.issuer_der_hex = base::HexEncode(Encode(i2d_X509_NAME, X509_CRL_get_issuer(crl)));
  fields.this_update = TimeOf(X509_CRL_get0_lastUpdate(crl));
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(crl);
  fields.next_update = next == nullptr ? "(absent)" : TimeOf(next);
  const STACK_OF(X509_REVOKED)* revoked = X509_CRL_get_REVOKED(crl);
  for (int i = 0; i < sk_X509_REVOKED_num(revoked); ++i) {
    const X509_REVOKED* entry = sk_X509_REVOKED_value(revoked, i);
    fields.revoked.push_back({IntegerOf(X509_REVOKED_get0_serialNumber(entry)),
                              TimeOf(X509_REVOKED_get0_revocationDate(entry)),
                              Spell(X509_REVOKED_get0_extensions(entry))});
  }
  fields.extensions = Spell(X509_CRL_get0_extensions(crl));
  return fields;
}

}  // namespace

base::Result<CrlFields> OpensslCrlFields(base::ByteView crl_der) {
  KC_ASSIGN_OR_RETURN(const CrlPointer crl, Decoded<CrlPointer>(d2i_X509_CRL, crl_der));
  Findings findings(crl_der);
  CrlView view;
  if (!ParseCrl(crl_der, view, findings)) return parts::Malformed("CRL", findings);
  KC_RETURN_IF_ERROR(CheckSameTbs(i2d_re_X509_CRL_tbs, crl.get(), view.tbs.whole));
  return FieldsFrom(crl.get());
}

base::Result<CrlFields> OpensslCertListFields(base::ByteView tbs_der) {
  Findings findings(tbs_der);
  TbsCertListView view;
  if (!ParseTbsCertList(tbs_der, view, findings)) return parts::Malformed("to-be-signed CRL", findings);
  return OpensslCrlFields(Unsigned(view.whole, view.signature.whole));
}

}  // namespace ceremony::x509
