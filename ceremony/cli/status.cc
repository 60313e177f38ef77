#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "ceremony/cli/certificates.h"
#include "ceremony/cli/command.h"
#include "ceremony/cli/custodians.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/estate/due.h"
#include "ceremony/estate/fold.h"
#include "ceremony/estate/joiners.h"
#include "ceremony/estate/roster_after.h"
#include "ceremony/script/roster.h"
#include "hsm/base/clock.h"

namespace ceremony::cli {
namespace {

using nlohmann::ordered_json;

constexpr int kHorizonDays = 365;

struct Arguments {
  std::string archive;
  std::string period;  // of --joiners-leavers; empty: the whole estate
  bool json = false;
};

struct Status {
  estate::Folded folded;
  std::vector<estate::DueItem> due;
  script::Roster roster;
};

base::Result<Status> ReadStatus(const std::string& archive) {
  if (!std::filesystem::is_directory(archive)) {
    return base::MakeError(base::ErrorCode::kInvalidInput, fmt::format("there is no archive {}", archive))
        .WithHint("give the folder that holds the records");
  }
  Status status;
  KC_ASSIGN_OR_RETURN(status.folded, estate::FoldArchive(archive));
  base::SystemClock clock;
  status.due = estate::DueOf(status.folded, clock.UtcMicros(), kHorizonDays);
  if (!status.folded.newest_roster.empty()) {
    KC_ASSIGN_OR_RETURN(const script::Roster read, script::ReadRoster(status.folded.newest_roster));
    // A ceremony that is not complete may have changed it already.
    status.roster = estate::RosterAfter(read, status.folded.estate);
    AddPoolAlarms(archive, status.folded, status.roster, status.due);
  }
  return status;
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
                                {"shares", SharesOf(estate, token.name)}});
  }
  object["keys"] = ordered_json::array();
  for (const estate::Key& key : estate.keys()) {
    ordered_json copies = ordered_json::array();
    for (const estate::Copy& copy : key.copies) {
      copies.push_back({{"token", copy.token},
                        {"serial", copy.serial},
                        {"object_id", copy.object_id},
                        {"kind", copy.kind},
                        {"since", copy.since.time}});
    }
    object["keys"].push_back({{"name", key.name},
                              {"algorithm", key.algorithm},
                              {"spki_sha256", key.spki_sha256},
                              {"state", key.state},
                              {"usage", key.usage},
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
  object["ceremonies"] = ordered_json::array();
  for (const estate::RecordSummary& record : status.folded.records) {
    object["ceremonies"].push_back({{"record", record.folder},
                                    {"ceremony", record.ceremony},
                                    {"mode", record.mode},
                                    {"began", record.began},
                                    {"ended", record.ended},
                                    {"entries", record.entries},
                                    {"complete", record.complete}});
  }
  return object;
}

std::string Day(const std::string& time) { return time.substr(0, 10); }

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
    if (const estate::ShareSet* set = estate.FindShares(t.name)) {
      std::string holders;
      for (const estate::ShareHolder& holder : set->holders) holders += (holders.empty() ? "" : ", ") + holder.person;
      out << fmt::format("    PINs shared {} of {} with {}; set {} (generation {})\n", set->m, set->holders.size(),
                         holders, set->set, set->generation);
    }
  }
  out << "\nKeys\n" << (estate.keys().empty() ? "  none\n" : "");
  for (const estate::Key& key : estate.keys()) {
    out << fmt::format("  {:<20} {:<12} {}, since {}\n", key.name, key.algorithm, key.state, Day(key.since.time));
    out << fmt::format("    public key {}\n", key.spki_sha256);
    for (const estate::Copy& copy : key.copies)
      out << fmt::format("    {} on {} (serial {}), id {}\n", copy.kind, copy.token, copy.serial, copy.object_id);
  }
  PrintCertificates(estate, out);
  PrintCustodians(status.roster, estate, out);
  out << "\nCeremonies\n";
  for (const estate::RecordSummary& r : status.folded.records) {
    out << fmt::format("  {:<32} {:<11} {} {}, {} entries\n", r.folder, r.mode, Day(r.began),
                       r.complete ? "complete" : "NOT COMPLETE", r.entries);
  }
}

base::Result<int> ShowStatus(const Arguments& arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const Status status, ReadStatus(arguments.archive));
  if (!arguments.period.empty()) {
    KC_ASSIGN_OR_RETURN(const estate::Period period, estate::ParsePeriod(arguments.period));
    const auto report = estate::ReportJoiners(status.roster, status.folded.estate, period);
    if (arguments.json) {
      streams.out << JoinersJson(report).dump() << '\n';
    } else {
      PrintJoiners(report, streams.out);
    }
    return kExitDone;
  }
  if (arguments.json) {
    streams.out << ToJson(status).dump() << '\n';
  } else {
    Print(status, streams.out);
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
  command->add_flag("--json", arguments->json, "print one JSON object");
  command->callback([arguments, &chosen] {
    chosen = [arguments](const Streams& streams) { return ShowStatus(*arguments, streams); };
  });
}

}  // namespace ceremony::cli
