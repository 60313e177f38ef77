#include "ceremony/cli/share_facts.h"

#include <fmt/format.h>

#include "ceremony/quorum/share.h"
#include "hsm/base/counted.h"

namespace ceremony::cli {

std::vector<room::Fact> FactsOf(const script::ShareFile& share) {
  return {{"what", "a sealed share of a token's PINs"},
          {"holder", share.holder},
          {"estate", share.estate},
          {"token", share.token},
          {"quorum", fmt::format("{} of {} ({}) open it", share.m, share.n, share.quorum)},
          {"set", share.set},
          {"generation", std::to_string(share.generation)}};
}

std::vector<room::Fact> FactsOf(const quorum::ShareRequest& request) {
  std::vector<room::Fact> facts{{"what", "a request to open your share"},
                                {"record", request.origin},
                                {"mode", request.mode},
                                {"step", request.step},
                                {"wanted", std::string(quorum::TitleOf(request.purpose))}};
  std::string pins;
  for (const quorum::Pin pin : request.pins) pins += (pins.empty() ? "" : " and ") + std::string(quorum::PinTitle(pin));
  facts.push_back({"PIN", pins});
  std::vector<room::Fact> share = FactsOf(request.share);
  facts.insert(facts.end(), share.begin() + 1, share.end());
  return facts;
}

std::string StandingOf(const script::ShareFile& share, const estate::Estate& estate) {
  const estate::ShareSet* set = estate.FindShareSet(share.set);
  const estate::ShareSet* current = estate.FindShares(share.token);
  if (set == nullptr) {
    return current == nullptr
               ? fmt::format("none of this archive's: it knows of no shares of token {}", share.token)
               : fmt::format("none of this archive's: token {} opens with set {} (generation {}), since {}",
                             share.token, current->set, current->generation, estate::Where(current->since));
  }
  if (auto checked = quorum::CheckShare(share, share.estate, *set, share.holder); !checked.ok())
    return "not what the record says of it: " + checked.error().message;
  if (current != nullptr && current->set != share.set) {
    return fmt::format("superseded: token {} opens with set {} (generation {}), since {}", share.token, current->set,
                       current->generation, estate::Where(current->since));
  }
  return fmt::format("good: it opens token {} now, with {}; made in {}", share.token,
                     base::Counted(share.m - 1, "other", "others"), estate::Where(set->since));
}

}  // namespace ceremony::cli
