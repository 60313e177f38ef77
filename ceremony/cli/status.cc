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
#include "ceremony/cli/one_record.h"
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

ordered_json LegsOf(const estate::Token& token) {
  ordered_json legs = ordered_json::array();
  for (const estate::Leg& leg : token.legs) {
    legs.push_back({{"from", leg.from},
                    {"to", leg.to},
                    {"carrier", leg.carrier},
                    {"escort", leg.escort},
                    {"reference", leg.reference},
                    {"seals", leg.seals},
                    {"departed", leg.departed},
                    {"arrived", leg.arrived},
                    {"ceremony", leg.since.ceremony}});
  }
  return legs;
}

// Null for a token whose PINs are not shared.
ordered_json SharesOf(const estate::Estate& estate, const std::string& token) {
  const estate::ShareSet* set = estate.FindShares(token);
  if (set == nullptr) return nullptr;
  ordered_json holders = ordered_json::array();
  for (const estate::ShareHolder& holder : set->holders) holders.push_back(holder.person);
  return {{"set", set->set},          {"generation", set->generation}, {"quorum", set->quorum},          {"m", set->m},
          {"n", set->holders.size()}, {"holders", std::move(holders)}, {"ceremony", set->since.ceremony}};
}

std::optional<estate::KeyCaps> CapsOf(const Status& status) {
  if (!status.policy) return std::nullopt;
  return estate::KeyCaps(status.folded.estate, *status.policy);
}

// Null for a key of whose use nobody has said anything, and which has no cap.
ordered_json UseOf(const estate::Key& key, const script::KeyCap* cap) {
  if (!key.use && cap == nullptr) return nullptr;
  ordered_json use = {{"count", nullptr}, {"first_use", ""}, {"last_use", ""}, {"stated_by", ""}};
  if (key.use) {
    use = {{"count", key.use->count},
           {"first_use", key.use->first_use},
           {"last_use", key.use->last_use},
           {"stated_by", key.use->stated_by}};
  }
  use["cap"] = cap == nullptr ? ordered_json() : ordered_json{{"certificates", cap->certificates}, {"days", cap->days}};
  return use;
}

ordered_json ToJson(const Status& status) {
  ordered_json object;
  const estate::Estate& estate = status.folded.estate;
  object["tokens"] = ordered_json::array();
  for (const estate::Token& token : estate.tokens()) {
    object["tokens"].push_back({{"name", token.name},
                                {"label", token.label},
                                {"serial", token.serial},
                                {"manufacturer", token.manufacturer},
                                {"model", token.model},
                                {"firmware", token.firmware},
                                {"role", token.role},
                                {"domain", token.domain},
                                {"state", token.state},
                                {"ceremony", token.since.ceremony},
                                {"since", token.since.time},
                                {"fips", token.fips},
                                {"site", token.site},
                                {"order", token.order},
                                {"module_version", token.module_version},
                                {"module_sha256", token.module_sha256},
                                {"verified", token.verified.time},
                                {"seals", token.SealNumbers()},
                                {"legs", LegsOf(token)},
                                {"shares", SharesOf(estate, token.name)}});
  }
  object["keys"] = ordered_json::array();
  const std::optional<estate::KeyCaps> caps = CapsOf(status);
  for (const estate::Key& key : estate.keys()) {
    ordered_json copies = ordered_json::array();
    for (const estate::Copy& copy : key.copies) {
      copies.push_back({{"token", copy.token},
                        {"serial", copy.serial},
                        {"object_id", copy.object_id},
                        {"kind", copy.kind},
                        {"state", copy.state},
                        {"destroying", copy.destroying.time},
                        {"since", copy.since.time},
                        {"ended", copy.ended.time}});
    }
    object["keys"].push_back({{"name", key.name},
                              {"algorithm", key.algorithm},
                              {"spki_sha256", key.spki_sha256},
                              {"state", key.state},
                              {"usage", key.usage},
                              {"hold_until", key.hold_until},
                              {"use", UseOf(key, caps ? caps->Of(key) : nullptr)},
                              {"extractable", key.extractable},
                              {"ceremony", key.since.ceremony},
                              {"since", key.since.time},
                              {"copies", std::move(copies)}});
  }
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

std::string Day(const std::string& time) { return time.substr(0, 10); }

// What a row of the token does not hold.
std::string MoreOf(const estate::Token& token) {
  std::string more;
  const auto add = [&](const char* what, const std::string& value) {
    if (!value.empty()) more += fmt::format("{}{} {}", more.empty() ? "" : ", ", what, value);
  };
  add("at", token.state == estate::kInTransit ? "" : token.site);
  add("firmware", token.firmware);
  add("FIPS 140", token.fips);
  add("order", token.order);
  add("verified", Day(token.verified.time));
  std::string seals;
  for (const std::string& number : token.SealNumbers()) seals += (seals.empty() ? "" : " ") + number;
  add("seals", seals);
  if (token.state == estate::kInTransit && !token.legs.empty()) {
    const estate::Leg& leg = token.legs.back();
    add("with", fmt::format("{} from {} to {} since {}", leg.carrier, leg.from, leg.to, leg.departed.substr(0, 16)));
  }
  return more;
}

void PrintForecasts(const Status& status, std::ostream& out) {
  constexpr double kMinutesPerDay = 1440.0;
  for (const estate::Forecast& f : status.forecasts) {
    out << fmt::format("\nForecast: {} a month under {} keys\n",
                       base::Counted(f.per_month, "certificate", "certificates"), f.use);
    out << fmt::format("  a rollover every {:.1f} days (the cap on {} comes first), about {} on hold\n",
                       static_cast<double>(f.minutes) / kMinutesPerDay, f.by_age ? "days" : "certificates",
                       base::Counted(f.held, "key", "keys"));
    for (const std::string& next : f.rollovers) out << "  " << Day(next) << "\n";
  }
}

// One copy: where it is, and if it is no more, since when.
void PrintCopy(const estate::Copy& copy, std::ostream& out) {
  if (!copy.transport_key.empty()) {
    out << fmt::format("    in a {}, written by {}: {}\n", copy.token, copy.since.ceremony,
                       copy.in_place() ? "it can be opened, and counts as a copy"
                                       : fmt::format("opens for nobody since {}", Day(copy.ended.time)));
    return;
  }
  std::string state;
  if (!copy.in_place()) {
    state = fmt::format("; {} since {}", copy.state, Day(copy.ended.time));
  } else if (!copy.destroying.ceremony.empty()) {
    state = fmt::format("; its destruction was begun in {} and not ended: it may be gone", copy.destroying.ceremony);
  }
  out << fmt::format("    {} on {} (serial {}), id {}{}\n", copy.kind, copy.token, copy.serial, copy.object_id, state);
}

// What is known of the key's use, against its cap, and until when it is held.
void PrintUse(const estate::Key& key, const script::KeyCap* cap, std::int64_t now, std::ostream& out) {
  if (key.use) {
    const bool capped = cap != nullptr && cap->certificates > 0;
    out << fmt::format("    used {}, {}, stated by {}\n",
                       capped ? fmt::format("{} of {} times", key.use->count, cap->certificates)
                              : base::Counted(key.use->count, "time", "times"),
                       key.use->count == 0 ? "never" : "last on " + Day(key.use->last_use),
                       key.use->stated_by.empty() ? "people in the room" : key.use->stated_by);
  } else if (cap != nullptr) {
    out << fmt::format("    nobody has stated its use; its cap is {} certificates or {} days\n", cap->certificates,
                       cap->days);
  }
  if (key.is_held()) {
    const auto until = base::ParseDayOrTime(key.hold_until);
    out << fmt::format("    held until {}{}\n", key.hold_until,
                       until.ok() && *until <= now ? ", which is over: its destruction is due" : "");
  }
}

void Print(const Status& status, std::ostream& out) {
  const estate::Estate& estate = status.folded.estate;
  out << "Due\n";
  if (status.due.empty()) out << "  nothing\n";
  for (const estate::DueItem& item : status.due) {
    out << fmt::format("  {}{} {}{}\n", item.overdue ? "OVERDUE: " : "", item.what, item.subject,
                       item.by.empty() ? "" : " by " + Day(item.by));
  }
  out << "\nTokens\n" << (estate.tokens().empty() ? "  none\n" : "");
  for (const estate::Token& t : estate.tokens()) {
    out << fmt::format("  {:<20} {:<12} {:<8} {:<18} {}, since {}\n", t.name, t.domain, t.role, t.serial, t.state,
                       Day(t.since.time));
    if (const std::string more = MoreOf(t); !more.empty()) out << "    " << more << "\n";
    if (const estate::ShareSet* set = estate.FindShares(t.name)) {
      std::string holders;
      for (const estate::ShareHolder& holder : set->holders) holders += (holders.empty() ? "" : ", ") + holder.person;
      out << fmt::format("    PINs shared {} of {} with {}; set {} (generation {})\n", set->m, set->holders.size(),
                         holders, set->set, set->generation);
    }
  }
  const std::optional<estate::KeyCaps> caps = CapsOf(status);
  out << "\nKeys\n" << (estate.keys().empty() ? "  none\n" : "");
  for (const estate::Key& key : estate.keys()) {
    out << fmt::format("  {:<20} {:<12} {}, since {}\n", key.name, key.algorithm, key.state, Day(key.since.time));
    out << fmt::format("    public key {}\n", key.spki_sha256);
    PrintUse(key, caps ? caps->Of(key) : nullptr, status.now, out);
    for (const estate::Copy& copy : key.copies) PrintCopy(copy, out);
  }
  PrintCertificates(estate, out);
  PrintCustodians(status.roster, estate, out);
  PrintForecasts(status, out);
  out << "\nCeremonies\n";
  for (const estate::RecordSummary& r : status.folded.records) {
    out << fmt::format("  {:<32} {:<11} {} {}, {}\n", r.folder, r.mode, Day(r.began), StateOf(r),
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
