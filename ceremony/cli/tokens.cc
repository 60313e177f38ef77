#include "ceremony/cli/tokens.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <utility>

#include "hsm/base/clock_text.h"

namespace ceremony::cli {
namespace {

using nlohmann::ordered_json;

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
  add("verified", base::DayOf(token.verified.time));
  std::string seals;
  for (const std::string& number : token.SealNumbers()) seals += (seals.empty() ? "" : " ") + number;
  add("seals", seals);
  if (token.state == estate::kInTransit && !token.legs.empty()) {
    const estate::Leg& leg = token.legs.back();
    add("with", fmt::format("{} from {} to {} since {}", leg.carrier, leg.from, leg.to, leg.departed.substr(0, 16)));
  }
  return more;
}

}  // namespace

ordered_json TokensJson(const estate::Estate& estate) {
  ordered_json tokens = ordered_json::array();
  for (const estate::Token& token : estate.tokens()) {
    tokens.push_back({{"name", token.name},
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
  return tokens;
}

void PrintTokens(const estate::Estate& estate, std::ostream& out) {
  out << "\nTokens\n" << (estate.tokens().empty() ? "  none\n" : "");
  for (const estate::Token& t : estate.tokens()) {
    out << fmt::format("  {:<20} {:<12} {:<8} {:<18} {}, since {}\n", t.name, t.domain, t.role, t.serial, t.state,
                       base::DayOf(t.since.time));
    if (const std::string more = MoreOf(t); !more.empty()) out << "    " << more << "\n";
    if (const estate::ShareSet* set = estate.FindShares(t.name)) {
      std::string holders;
      for (const estate::ShareHolder& holder : set->holders) holders += (holders.empty() ? "" : ", ") + holder.person;
      out << fmt::format("    PINs shared {} of {} with {}; set {} (generation {})\n", set->m, set->holders.size(),
                         holders, set->set, set->generation);
    }
  }
}

}  // namespace ceremony::cli
