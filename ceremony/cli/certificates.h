// What `status` shows of certificates, requests and CRLs.
#ifndef CEREMONY_CLI_CERTIFICATES_H_
#define CEREMONY_CLI_CERTIFICATES_H_

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>

#include "ceremony/estate/estate.h"

namespace ceremony::cli {

nlohmann::ordered_json CertificatesJson(const estate::Estate& estate);
nlohmann::ordered_json CrlsJson(const estate::Estate& estate);
nlohmann::ordered_json RequestsJson(const estate::Estate& estate);

// PrintCertificates prints "Certificates", and "Lists of revoked certificates"
// and "Certificate requests" where there are any.
void PrintCertificates(const estate::Estate& estate, std::ostream& out);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_CERTIFICATES_H_
