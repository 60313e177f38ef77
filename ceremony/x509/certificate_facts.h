// The fields of a certificate as text, for effects of steps, the estate and reports.
// Writers and checkers share this one spelling.
#ifndef CEREMONY_X509_CERTIFICATE_FACTS_H_
#define CEREMONY_X509_CERTIFICATE_FACTS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "ceremony/x509/tbs.h"
#include "ceremony/x509/view.h"
#include "hsm/base/bytes.h"

namespace ceremony::x509 {

class Certificate;

struct CertificateFacts {
  std::string subject;           // RFC 4514 text
  std::string subject_der;       // base64 of the Name
  std::string alternative_name;  // text of subjectAltName; empty without one
  std::string serial;            // hex of the content octets
  std::string not_before;        // RFC 3339; empty when malformed
  std::string not_after;
  std::string spki_sha256;        // hex
  std::string subject_key_id;     // hex; empty without one
  std::string key_usage;          // "keyCertSign, cRLSign"; empty without the extension
  bool ca = false;                // basicConstraints
  std::int64_t path_length = -1;  // -1: no limit
};

// CertificateFactsOf never fails: it treats a malformed field as absent.
CertificateFacts CertificateFactsOf(const TbsView& tbs);

// SubjectKeyIdOf returns the octets of the extension; empty when it is absent.
base::Bytes SubjectKeyIdOf(const TbsView& tbs);

// AuthorityOf is a CA as its own certificate names it.
Authority AuthorityOf(const Certificate& certificate);

// RfcTime spells seconds since 1970 UTC as RFC 3339 ("2026-11-21T05:17:45Z").
std::string RfcTime(std::int64_t utc_seconds);
// SecondsOf is its inverse, also for times of entries; nullopt when the text is not a time.
std::optional<std::int64_t> SecondsOf(const std::string& rfc3339);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_CERTIFICATE_FACTS_H_
