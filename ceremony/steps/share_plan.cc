#include "ceremony/steps/share_plan.h"

#include <fmt/format.h>

#include "ceremony/quorum/shamir.h"
#include "ceremony/quorum/share_set.h"

namespace ceremony::steps {

script::Field SharesField() {
  return script::Field::Id("shares",
                           "the quorum of the roster whose members get shares of the PINs, when the binding logs in to "
                           "the token with `shares`")
      .Default("custodians");
}

void PlanShares(const std::string& token, const std::string& name, PlanContext& plan) {
  const auto& inputs = plan.inputs();
  if (!inputs.binding || !inputs.roster) return;
  const script::TokenBinding* bound = inputs.binding->Find(token);
  if (bound == nullptr || bound->login != script::Login::kShares) return;
  const script::Quorum* quorum = inputs.roster->FindQuorum(name);
  if (quorum == nullptr) {
    plan.Breach(
        "PLAN-SHARES-01", "shares",
        fmt::format("the roster {} defines no quorum {} to share the PINs among", inputs.roster->file.name, name),
        "define it in the roster, or correct the name");
    return;
  }
  const std::size_t members = inputs.roster->MembersOf(*quorum).size();
  if (members > static_cast<std::size_t>(quorum::kMostShares)) {
    plan.Breach(
        "PLAN-SHARES-03", "shares",
        fmt::format("the quorum {} has {} members, shares can be made for {}", name, members, quorum::kMostShares),
        "name a smaller quorum");
    return;
  }
  const auto holders = quorum::SharesHeldBy(*inputs.roster, *quorum);
  if (!holders.ok()) {
    plan.Breach("PLAN-SHARES-02", "shares", holders.error().message, holders.error().hint);
    return;
  }
  plan.NeedsPeople(std::string(script::NameOf(quorum->role)), members);
  plan.Takes(static_cast<unsigned>(60 * members));
  estate::SharesIssued effect;
  effect.token = token;
  effect.quorum = name;
  effect.m = quorum->m;
  for (const script::Person* holder : *holders) effect.holders.push_back({holder->id, "", ""});
  plan.Plans(effect);
}

}  // namespace ceremony::steps
