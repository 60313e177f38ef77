#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <sstream>

#include "ceremony/cli/certificates.h"
#include "ceremony/cli/command.h"
#include "ceremony/cli/custodians.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/keys.h"
#include "ceremony/cli/one_record.h"
#include "ceremony/cli/tokens.h"
#include "ceremony/estate/due.h"
#include "ceremony/estate/fleet_due.h"
#include "ceremony/estate/fold.h"
#include "ceremony/estate/joiners.h"
#include "ceremony/estate/planner.h"
#include "ceremony/estate/roster_after.h"
#include "ceremony/room/text.h"
#include "ceremony/run/record_inputs.h"
#include "ceremony/script/roster.h"
#include "hsm/base/clock.h"
#include "hsm/base/clock_text.h"
#include "hsm/base/counted.h"
#include "hsm/base/file.h"

namespace ceremony::cli {
namespace {

using nlohmann::ordered_json;

constexpr int kHorizonDays = 365;
constexpr int kRolloversShown = 6;

struct Arguments {
  std::string archive;
  std::string period;  // of --joiners-leavers; empty: the whole estate
  std::string at;      // a day or a time; empty: now
  std::string ics;     // where the calendar is written; empty: nowhere
  std::string csv;
  std::int64_t rate = 0;  // certificates a month; 0: no forecast
  bool json = false;
};

struct Status {
  estate::Folded folded;
  std::int64_t now = 0;
  std::vector<estate::DueItem> due;
  script::Roster roster;
  std::string name;  // of the estate
  std::vector<estate::Forecast> forecasts;
  std::optional<script::Policy> policy;  // of the newest record
};

// What needs a policy is held against that of the newest record.
void AddPolicyDue(const std::string& archive, Status& status, std::int64_t rate) {
  const estate::RecordSummary* newest = nullptr;
  for (const estate::RecordSummary& record : status.folded.records) {
    if (record.opened) newest = &record;
  }
  const auto inputs = newest == nullptr ? base::Result<script::Inputs>(script::Inputs())
                                        : run::ReadRecordInputs(archive, newest->folder);
  if (!inputs.ok()) {
    status.due.push_back({fmt::format("find out why the inputs cannot be read ({}) of", inputs.error().message),
                          newest->folder, "", true});
  }
  const script::Policy* policy = newest != nullptr && inputs.ok() ? &inputs->policy : nullptr;
  estate::AddFleetDue(status.folded, policy, status.now, kHorizonDays, status.due);
  if (policy == nullptr) return;
  status.policy = *policy;
  AddPoolAlarms(*policy, status.roster, status.folded.estate, status.due);
  estate::SortDue(status.due);
  if (rate > 0)
    status.forecasts = estate::ForecastRollovers(status.folded.estate, *policy, rate, status.now, kRolloversShown);
}

base::Result<Status> ReadStatus(const Arguments& arguments) {
  const std::string& archive = arguments.archive;
  KC_RETURN_IF_ERROR(RequireArchive(archive));
  Status status;
  base::SystemClock clock;
  status.now = clock.UtcMicros();
  if (!arguments.at.empty()) {
    KC_ASSIGN_OR_RETURN(status.now, base::ParseDayOrTime(arguments.at));
  }
  KC_ASSIGN_OR_RETURN(status.folded, estate::FoldArchive(archive));
  status.due = estate::DueOf(status.folded, status.now, kHorizonDays);
  if (!status.folded.newest_roster.empty()) {
    KC_ASSIGN_OR_RETURN(const script::Roster read, script::ReadRoster(status.folded.newest_roster));
    // A ceremony that is not complete may have changed it already.
    status.roster = estate::RosterAfter(read, status.folded.estate);
    status.name = read.estate;
  }
  AddPolicyDue(archive, status, arguments.rate);
  return status;
}

ordered_json ToJson(const Status& status) {
  ordered_json object;
  const estate::Estate& estate = status.folded.estate;
  object["tokens"] = TokensJson(estate);
  object["keys"] = KeysJson(estate, status.policy);
  object["certificates"] = CertificatesJson(estate);
  object["crls"] = CrlsJson(estate);
  object["requests"] = RequestsJson(estate);
  object["custodians"] = CustodiansJson(status.roster, estate);
  object["due"] = ordered_json::array();
  for (const estate::DueItem& item : status.due) {
    object["due"].push_back(
        {{"what", item.what}, {"subject", item.subject}, {"by", item.by}, {"overdue", item.overdue}});
  }
  if (!status.forecasts.empty()) object["forecast"] = ordered_json::array();
  for (const estate::Forecast& forecast : status.forecasts) {
    object["forecast"].push_back({{"use", forecast.use},
                                  {"per_month", forecast.per_month},
                                  {"minutes", forecast.minutes},
                                  {"held", forecast.held},
                                  {"limit", forecast.by_age ? "days" : "certificates"},
                                  {"rollovers", forecast.rollovers}});
  }
  object["ceremonies"] = ordered_json::array();
  for (const estate::RecordSummary& record : status.folded.records) {
    object["ceremonies"].push_back({{"record", record.folder},
                                    {"ceremony", record.ceremony},
                                    {"mode", record.mode},
                                    {"began", record.began},
                                    {"ended", record.ended},
                                    {"entries", record.entries},
                                    {"complete", record.complete},
                                    {"called_off", record.called_off},
                                    {"left_behind", record.left_behind.has_value()}});
  }
  return object;
}

const char* StateOf(const estate::RecordSummary& record) {
  if (record.left_behind) return "LEFT BEHIND";
  if (!record.complete) return "NOT COMPLETE";
  return record.called_off ? "CALLED OFF" : "complete";
}

void PrintForecasts(const Status& status, std::ostream& out) {
  constexpr double kMinutesPerDay = 1440.0;
  for (const estate::Forecast& f : status.forecasts) {
    out << fmt::format("\nForecast: {} a month under {} keys\n",
                       base::Counted(f.per_month, "certificate", "certificates"), f.use);
    out << fmt::format("  a rollover every {:.1f} days (the cap on {} comes first), about {} on hold\n",
                       static_cast<double>(f.minutes) / kMinutesPerDay, f.by_age ? "days" : "certificates",
                       base::Counted(f.held, "key", "keys"));
    for (const std::string& next : f.rollovers) out << "  " << base::DayOf(next) << "\n";
  }
}

void Print(const Status& status, std::ostream& out) {
  const estate::Estate& estate = status.folded.estate;
  out << "Due\n";
  if (status.due.empty()) out << "  nothing\n";
  for (const estate::DueItem& item : status.due) {
    out << fmt::format("  {}{} {}{}\n", item.overdue ? "OVERDUE: " : "", item.what, item.subject,
                       item.by.empty() ? "" : " by " + base::DayOf(item.by));
  }
  PrintTokens(estate, out);
  PrintKeys(estate, status.policy, status.now, out);
  PrintCertificates(estate, out);
  PrintCustodians(status.roster, estate, out);
  PrintForecasts(status, out);
  out << "\nCeremonies\n";
  for (const estate::RecordSummary& r : status.folded.records) {
    out << fmt::format("  {:<32} {:<11} {} {}, {}\n", r.folder, r.mode, base::DayOf(r.began), StateOf(r),
                       base::Counted(r.entries, "entry", "entries"));
  }
}

// Names of folders, and what old records say, may hold what a terminal obeys.
std::string Shown(const std::ostringstream& text) {
  return room::Visible(text.view(), room::Charset::kUtf8, room::LineFeeds::kBreak);
}

// A planner's file is made new each time: what stood in it is out of date.
constexpr base::WriteOptions kPlannersFile{.replace = true, .mode = base::kForEveryone.mode};

base::Result<int> ShowStatus(const Arguments& arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const Status status, ReadStatus(arguments));
  if (!arguments.ics.empty())
    KC_RETURN_IF_ERROR(
        base::WriteFile(arguments.ics, estate::WriteCalendar(status.due, status.name, status.now), kPlannersFile));
  if (!arguments.csv.empty())
    KC_RETURN_IF_ERROR(base::WriteFile(arguments.csv, estate::WriteTable(status.due), kPlannersFile));
  if (!arguments.period.empty()) {
    KC_ASSIGN_OR_RETURN(const estate::Period period, estate::ParsePeriod(arguments.period));
    const auto report = estate::ReportJoiners(status.roster, status.folded.estate, period);
    if (arguments.json) {
      streams.out << JoinersJson(report).dump() << '\n';
    } else {
      std::ostringstream text;
      PrintJoiners(report, text);
      streams.out << Shown(text);
    }
    return kExitDone;
  }
  if (arguments.json) {
    streams.out << ToJson(status).dump() << '\n';
  } else {
    std::ostringstream text;
    Print(status, text);
    streams.out << Shown(text);
  }
  return kExitDone;
}

}  // namespace

void AddStatus(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("status", "show the estate: keys, copies, where they are, what is due");
  command->group(kLook);
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("archive", arguments->archive, "the folder of all records")->required()->type_name("ARCHIVE");
  command
      ->add_option("--joiners-leavers", arguments->period,
                   "print who joined and who left in a period instead: 2026-01-01..2026-12-31")
      ->type_name("FROM..TO");
  command->add_option("--at", arguments->at, "what is due at this day or time (UTC), not now")->type_name("DATE");
  command->add_option("--ics", arguments->ics, "also write what is due as a calendar (RFC 5545)")->type_name("FILE");
  command->add_option("--csv", arguments->csv, "also write what is due as a table (RFC 4180)")->type_name("FILE");
  command
      ->add_option("--forecast", arguments->rate,
                   "say how often issuing keys are rolled over at so many certificates a month")
      ->type_name("RATE")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}));
  command->add_flag("--json", arguments->json, "print one JSON object");
  WhenChosen(*command, chosen, arguments, ShowStatus);
}

}  // namespace ceremony::cli
