#include "ceremony/estate/due.h"

#include <algorithm>
#include <tuple>

#include "hsm/base/clock.h"

namespace ceremony::estate {

std::vector<DueItem> DueOf(const Folded& folded, std::int64_t now_micros, int horizon_days) {
  // RFC 3339 in UTC sorts as text.
  const std::string now = base::FormatTime(now_micros);
  const std::string horizon = base::FormatTime(now_micros + std::int64_t{horizon_days} * 86'400 * 1'000'000);
  std::vector<DueItem> due;
  for (const RecordSummary& record : folded.records) {
    if (!record.complete) due.push_back({"resume the ceremony", record.folder, "", true});
  }
  for (const Certificate& certificate : folded.estate.certificates()) {
    if (certificate.not_after.empty() || certificate.not_after >= horizon || certificate.revoked()) continue;
    due.push_back({"renew the certificate", certificate.name, certificate.not_after, certificate.not_after < now});
  }
  const std::string today = now.substr(0, 10);
  for (const Key& key : folded.estate.keys()) {
    if (key.state == "held" && key.hold_until < horizon)
      due.push_back({"destroy the key", key.name, key.hold_until, key.hold_until < today});
    if (key.state == "deactivated") due.push_back({"destroy the key, or hold it", key.name, "", false});
    if (key.state == "compromised") due.push_back({"destroy the compromised key", key.name, "", true});
  }
  for (const Crl& crl : folded.estate.crls()) {
    if (crl.next_update.empty() || crl.next_update >= horizon || folded.estate.FindLastCrl(crl.issuer_der) != &crl)
      continue;
    due.push_back({"issue the CRL after", crl.name, crl.next_update, crl.next_update < now});
  }
  std::stable_sort(due.begin(), due.end(), [](const DueItem& a, const DueItem& b) {
    return std::tie(b.overdue, a.by) < std::tie(a.overdue, b.by);
  });
  return due;
}

}  // namespace ceremony::estate
