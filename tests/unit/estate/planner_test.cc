// What is due of tokens and keys, as a calendar, as a table, and what a rate of issuing makes of a cap.
#include "ceremony/estate/planner.h"

#include <doctest/doctest.h>

#include "ceremony/estate/fleet_due.h"
#include "hsm/base/clock_text.h"

namespace {

using namespace ceremony::estate;
namespace script = ceremony::script;

constexpr std::int64_t kDay = 86'400'000'000;
const std::int64_t kJune = *base::ParseDayOrTime("2026-06-01");  // 2026-06-01T00:00:00Z

Provenance On(const char* time) { return {"0001-root", 12, time}; }

script::Policy WithCap() {
  script::Policy policy;
  policy.caps.push_back({"issuing", 100'000, 92, 60, 24});
  return policy;
}

// An issuing key made on the first of May, certified under the profile "issuing-oca".
Folded WithIssuingKey() {
  Folded folded;
  const auto on = On("2026-05-01T00:00:00.000000Z");
  REQUIRE(folded.estate.Apply(TokenCommissioned{"hsm", "hsm", "S1", "M", "m", "1.0", "live", "organisation"}, on).ok());
  REQUIRE(folded.estate.Apply(KeyCreated{"issuing", "ec-p256", "sign", "aa", "hsm", "S1", "0a", false}, on).ok());
  CertificateIssued certificate;
  certificate.certificate = "issuing";
  certificate.profile = "issuing-oca";
  certificate.key = "issuing";
  certificate.issuer_key = "issuing";
  certificate.serial = "01";
  REQUIRE(folded.estate.Apply(certificate, on).ok());
  return folded;
}

std::vector<std::string> Lines(const std::vector<DueItem>& due) {
  std::vector<std::string> lines;
  for (const DueItem& item : due)
    lines.push_back((item.overdue ? "OVERDUE " : "") + item.what + " " + item.subject + " " + item.by.substr(0, 16));
  return lines;
}

std::vector<std::string> DueAt(const Folded& folded, const script::Policy& policy, std::int64_t now, int horizon) {
  std::vector<DueItem> due;
  AddFleetDue(folded, &policy, now, horizon, due);
  return Lines(due);
}

}  // namespace

TEST_CASE("a key is to be deactivated within the hour of its cap, by age or by count") {
  Folded folded = WithIssuingKey();
  CHECK(DueAt(folded, WithCap(), kJune, 90) == std::vector<std::string>{"deactivate the key issuing 2026-08-01T01:00"});
  CHECK(DueAt(folded, WithCap(), kJune, 60).empty());
  CHECK(DueAt(folded, WithCap(), kJune + 61 * kDay + kDay / 12, 60) ==
        std::vector<std::string>{"OVERDUE deactivate the key issuing 2026-08-01T01:00"});
  KeyUsageStated use;
  use.key = "issuing";
  use.count = 100'000;
  use.first_use = "2026-05-02T00:00:00Z";
  use.last_use = "2026-05-31T23:30:00Z";
  REQUIRE(folded.estate.Apply(use, On("2026-06-01T00:00:00.000000Z")).ok());
  CHECK(DueAt(folded, WithCap(), kJune, 60) == std::vector<std::string>{"deactivate the key issuing 2026-06-01T00:30"});
}

TEST_CASE("tokens that wait or are under way are due") {
  Folded folded;
  const auto on = On("2026-05-30T00:00:00.000000Z");
  REQUIRE(folded.estate.Apply(TokenRegistered{"new", "M", "m", "", "", "backup", "", "", "PO-1"}, on).ok());
  REQUIRE(folded.estate.Apply(TokenCommissioned{"away", "away", "S1", "M", "m", "1.0", "live", ""}, on).ok());
  REQUIRE(folded.estate
              .Apply(TokenMoved{"away", "S1", "departed", "A", "B", "C", {"D"}, "n", {}, "2026-05-30T00:00:00Z"}, on)
              .ok());
  CHECK(DueAt(folded, script::Policy(), kJune, 365) ==
        std::vector<std::string>{"commission the token new ", "take in the token away "});
}

TEST_CASE("a calendar's lines are folded at 75 octets, end with CRLF, and its texts are escaped") {
  const std::string long_name(90, 'x');
  const std::vector<DueItem> due = {
      {"renew; the, \\certificate", "a\nb", "2026-07-01T00:00:00.000000Z", false},
      {"deactivate the key", "sch\xc3\xbc" + long_name + "\xc3\xbc\xc3\xbc\xc3\xbc", "", true}};
  const std::string calendar = WriteCalendar(due, "smki.example", kJune);
  CHECK(calendar.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:"));
  CHECK(calendar.ends_with("END:VEVENT\r\nEND:VCALENDAR\r\n"));
  CHECK(calendar.find("SUMMARY:renew\\; the\\, \\\\certificate a\\nb\r\n") != std::string::npos);
  CHECK(calendar.find("DTSTART;VALUE=DATE:20260701\r\n") != std::string::npos);
  CHECK(calendar.find("DTSTART;VALUE=DATE:20260601\r\n") != std::string::npos);
  std::string unfolded;
  std::size_t at = 0;
  while (at < calendar.size()) {
    const std::size_t end = calendar.find("\r\n", at);
    REQUIRE(end != std::string::npos);
    CHECK(end - at <= 75);
    // No fold parts a UTF-8 character.
    CHECK((static_cast<unsigned char>(calendar[at + (calendar[at] == ' ' ? 1 : 0)]) & 0xc0U) != 0x80U);
    if (calendar[at] == ' ') {
      unfolded += calendar.substr(at + 1, end - at - 1);
    } else {
      unfolded += "\n" + calendar.substr(at, end - at);
    }
    at = end + 2;
  }
  CHECK(unfolded.find("\nSUMMARY:OVERDUE: deactivate the key sch\xc3\xbc" + long_name + "\xc3\xbc\xc3\xbc\xc3\xbc\n") !=
        std::string::npos);
  // The same thing to do has the same UID on another day.
  const auto uid = [](const std::string& text) { return text.substr(text.find("UID:"), 36); };
  CHECK(uid(calendar) == uid(WriteCalendar(due, "smki.example", kJune + kDay)));
}

TEST_CASE("a table quotes what needs it and starts no formula") {
  CHECK(WriteTable({{"renew, \"soon\"", "=1+1", "", true}}) ==
        "overdue,by,what,subject\r\nyes,,\"renew, \"\"soon\"\"\",'=1+1\r\n");
}

// docs of the trade: at 242,000 certificates a month a cap of 100,000 means a rollover every 12.4 days, about 58 held
// keys.
TEST_CASE("a rate of issuing says when keys are rolled over and how many are held") {
  const Folded folded = WithIssuingKey();
  const auto forecasts = ForecastRollovers(folded.estate, WithCap(), 242'000, kJune, 2);
  REQUIRE(forecasts.size() == 1);
  CHECK(forecasts[0].minutes == 17'851);  // 12.4 days
  CHECK(forecasts[0].held == 58);
  CHECK_FALSE(forecasts[0].by_age);
  REQUIRE(forecasts[0].rollovers.size() == 2);
  CHECK(forecasts[0].rollovers[0].starts_with("2026-06-01T00:00"));  // 13 May has passed: now
  CHECK(forecasts[0].rollovers[1].starts_with("2026-06-13T09:31"));
  const auto slow = ForecastRollovers(folded.estate, WithCap(), 1000, kJune, 1);
  CHECK(slow[0].by_age);
  CHECK(slow[0].rollovers[0].starts_with("2026-08-01T00:00"));
}

TEST_CASE("of several caps that fit a profile the longest is its own") {
  const Folded folded = WithIssuingKey();
  script::Policy policy = WithCap();
  policy.caps.push_back({"issuing-oca", 10, 10, 60, 24});
  policy.caps.push_back({"issuing-o", 11, 11, 60, 24});
  const KeyCaps caps(folded.estate, policy);
  REQUIRE(caps.Of(*folded.estate.FindKey("issuing")) != nullptr);
  CHECK(caps.Of(*folded.estate.FindKey("issuing"))->use == "issuing-oca");
}

TEST_CASE("a forecast ends with the year 9999, however large the cap and however slow the rate") {
  const Folded folded = WithIssuingKey();
  script::Policy policy;
  policy.caps.push_back({"issuing", 10'000'000, 0, 60, 24});
  policy.caps.push_back({"other", 1'000'000'000'000, 0, 60, 24});
  policy.caps.push_back({"slow", 50'000, 0, 60, 24});
  const auto forecasts = ForecastRollovers(folded.estate, policy, 1, kJune, 3);
  REQUIRE(forecasts.size() == 3);
  CHECK(forecasts[0].minutes == 432'000'000'000);
  CHECK(forecasts[0].rollovers.empty());
  CHECK(forecasts[1].rollovers.empty());
  REQUIRE(forecasts[2].rollovers.size() == 1);  // 50,000 months of 30 days are 4107 years
  CHECK(forecasts[2].rollovers[0].starts_with("6133-"));
}
