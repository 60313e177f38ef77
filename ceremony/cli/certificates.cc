#include "ceremony/cli/certificates.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "hsm/base/clock_text.h"

namespace ceremony::cli {
namespace {

using nlohmann::ordered_json;

std::string PathOf(const estate::Provenance& record, const std::string& artefact) {
  return record.ceremony + "/artefacts/" + artefact;
}

}  // namespace

ordered_json CertificatesJson(const estate::Estate& estate) {
  ordered_json list = ordered_json::array();
  for (const estate::Certificate& c : estate.certificates()) {
    ordered_json revoked = nullptr;
    if (c.revoked()) revoked = {{"on", c.revoked_on}, {"reason", c.revocation_reason}, {"crl", c.revoked_by}};
    list.push_back({{"name", c.name},
                    {"profile", c.profile},
                    {"subject", c.subject},
                    {"key", c.key},
                    {"issuer_key", c.issuer_key},
                    {"issuer_certificate", c.issuer_certificate},
                    {"ca", c.ca},
                    {"serial", c.serial},
                    {"not_before", c.not_before},
                    {"not_after", c.not_after},
                    {"sha256", c.sha256},
                    {"revoked", std::move(revoked)},
                    {"artefact", PathOf(c.since, c.artefact)}});
  }
  return list;
}

ordered_json CrlsJson(const estate::Estate& estate) {
  ordered_json list = ordered_json::array();
  for (const estate::Crl& c : estate.crls()) {
    list.push_back({{"name", c.name},
                    {"profile", c.profile},
                    {"issuer", c.issuer},
                    {"issuer_certificate", c.issuer_certificate},
                    {"number", c.number},
                    {"this_update", c.this_update},
                    {"next_update", c.next_update},
                    {"revoked", c.revoked},
                    {"sha256", c.sha256},
                    {"artefact", PathOf(c.since, c.artefact)}});
  }
  return list;
}

ordered_json RequestsJson(const estate::Estate& estate) {
  ordered_json list = ordered_json::array();
  for (const estate::Request& r : estate.requests()) {
    list.push_back({{"name", r.name},
                    {"profile", r.profile},
                    {"subject", r.subject},
                    {"key", r.key},
                    {"sha256", r.sha256},
                    {"artefact", PathOf(r.since, r.artefact)}});
  }
  return list;
}

void PrintCertificates(const estate::Estate& estate, std::ostream& out) {
  out << "\nCertificates\n" << (estate.certificates().empty() ? "  none\n" : "");
  for (const estate::Certificate& c : estate.certificates()) {
    out << fmt::format("  {:<20} {} to {}\n    {}\n", c.name, base::DayOf(c.not_before), base::DayOf(c.not_after),
                       c.subject);
    if (!c.issuer_certificate.empty() && c.issuer_certificate != c.name)
      out << fmt::format("    issued by {}\n", c.issuer_certificate);
    if (c.revoked())
      out << fmt::format("    REVOKED on {} ({}), by {}\n", base::DayOf(c.revoked_on), c.revocation_reason,
                         c.revoked_by);
    out << fmt::format("    SHA-256 {}\n", c.sha256);
  }
  if (!estate.crls().empty()) out << "\nLists of revoked certificates\n";
  for (const estate::Crl& c : estate.crls()) {
    out << fmt::format("  {:<20} number {}, {} to {}, {} revoked\n    {}\n    SHA-256 {}\n", c.name, c.number,
                       base::DayOf(c.this_update), base::DayOf(c.next_update), c.revoked, c.issuer, c.sha256);
  }
  if (!estate.requests().empty()) out << "\nCertificate requests\n";
  for (const estate::Request& r : estate.requests())
    out << fmt::format("  {:<20} of key {}\n    {}\n    SHA-256 {}\n", r.name, r.key, r.subject, r.sha256);
}

}  // namespace ceremony::cli
