#include "ceremony/estate/due.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "hsm/base/clock.h"
#include "hsm/base/clock_text.h"

namespace ceremony::estate {
namespace {

// Renewals tells which certificates nobody renews any more: revoked, of a key that is out of use, or followed by one of
// the same name and profile that ends later.
class Renewals final {
 public:
  explicit Renewals(const Estate& estate) : estate_(estate) {
    for (const Certificate& certificate : estate.certificates()) {
      if (certificate.revoked()) continue;
      std::string_view& last = last_ends_[PurposeOf(certificate)];
      last = std::max(last, std::string_view(certificate.not_after));
    }
  }

  bool AreOver(const Certificate& certificate) const {
    const Key* key = estate_.FindKey(certificate.key);
    return certificate.revoked() || (key != nullptr && key->is_out_of_use()) ||
           certificate.not_after < last_ends_.at(PurposeOf(certificate));
  }

 private:
  static std::string PurposeOf(const Certificate& certificate) {
    return fmt::format("{}\n{}\n{}", certificate.profile, certificate.subject, certificate.alternative_name);
  }
  const Estate& estate_;
  std::unordered_map<std::string, std::string_view> last_ends_;
};

// ARLs and CRLs of a CA are replaced separately, but share one number sequence.
std::vector<const Crl*> LastCrls(const Estate& estate) {
  std::unordered_map<std::string, const Crl*> last;
  for (const Crl& crl : estate.crls()) {
    const Crl*& known = last[fmt::format("{}\n{}", crl.issuer_der, crl.profile)];
    if (known == nullptr || crl.number > known->number) known = &crl;
  }
  std::vector<const Crl*> found;
  for (const Crl& crl : estate.crls()) {
    if (last.at(fmt::format("{}\n{}", crl.issuer_der, crl.profile)) == &crl) found.push_back(&crl);
  }
  return found;
}

void AddKeys(const Estate& estate, std::string_view today, std::string_view horizon, std::vector<DueItem>& due) {
  for (const Key& key : estate.keys()) {
    const bool is_compromised = key.state == "compromised";
    const std::string what = is_compromised ? "destroy the compromised key" : "destroy the key";
    if (key.is_held()) {
      if (key.hold_until < horizon) due.push_back({what, key.name, key.hold_until, key.hold_until < today});
    } else if (is_compromised) {
      due.push_back({what, key.name, "", true});
    } else if (key.state == "deactivated") {
      due.push_back({"destroy the key, or hold it", key.name, "", false});
    }
  }
}

constexpr std::int64_t kDayMicros = std::int64_t{86'400} * 1'000'000;

}  // namespace

std::vector<DueItem> DueOf(const Folded& folded, std::int64_t now_micros, int horizon_days) {
  // RFC 3339 in UTC sorts as text.
  const std::string now = base::FormatTime(now_micros);
  const std::string horizon = base::FormatTime(now_micros + horizon_days * kDayMicros);
  const std::string a_day_ago = base::FormatTime(now_micros - kDayMicros);
  std::vector<DueItem> due;
  for (const RecordSummary& record : folded.records) {
    if (record.complete || record.left_behind) continue;
    // Most that are paused go on the same day.
    due.push_back({"resume the ceremony", record.folder, "", record.began < a_day_ago});
  }
  const Renewals renewals(folded.estate);
  for (const Certificate& certificate : folded.estate.certificates()) {
    if (certificate.not_after.empty() || certificate.not_after >= horizon || renewals.AreOver(certificate)) continue;
    due.push_back({"renew the certificate", certificate.name, certificate.not_after, certificate.not_after < now});
  }
  AddKeys(folded.estate, base::DayOf(now), horizon, due);
  for (const Crl* crl : LastCrls(folded.estate)) {
    if (crl->next_update.empty() || crl->next_update >= horizon) continue;
    due.push_back({"issue the CRL after", crl->name, crl->next_update, crl->next_update < now});
  }
  SortDue(due);
  return due;
}

void SortDue(std::vector<DueItem>& due) {
  std::ranges::stable_sort(
      due, [](const DueItem& a, const DueItem& b) { return std::tie(b.overdue, a.by) < std::tie(a.overdue, b.by); });
}

}  // namespace ceremony::estate
