#include <fmt/format.h>

#include "ceremony/run/ceremony.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

base::Result<void> AskConsent(Ceremony& ceremony, const script::Waiver& waiver, const std::string& id) {
  const script::Person* person = ceremony.roster().FindPerson(id);
  if (person == nullptr || ceremony.history().attendance().Find(id) == nullptr) {
    return base::MakeError(base::ErrorCode::kNoQuorum, fmt::format("{} is to waive the rule {}, and is not here",
                                                                   person == nullptr ? id : person->name, waiver.rule))
        .WithRule("WAIVER-04")
        .WithHint("bring them, take down that they have come, and go on with `keyceremony resume RECORD`");
  }
  const room::Question question{
      .kind = room::Question::Kind::kConsent,
      .id = "waive/" + id,
      .person = person->name,
      .text = fmt::format("The rule {} is to be waived in this ceremony: {} Do you agree?", waiver.rule, waiver.reason),
      .expected = "WAIVE",
      .simulated = "WAIVE"};
  KC_RETURN_IF_ERROR(ceremony.terminal().Ask(question));
  return {};
}

}  // namespace

base::Result<void> ConsentToWaivers(Ceremony& ceremony) {
  for (const script::Waiver& waiver : ceremony.inputs().binding->waivers) {
    if (ceremony.history().IsWaived(waiver.rule, waiver.step)) continue;
    for (const std::string& person : waiver.people) KC_RETURN_IF_ERROR(AskConsent(ceremony, waiver, person));
    json fields = {{"what", "a rule is waived"},
                   {"waived", waiver.rule},
                   {"reason", waiver.reason},
                   {"decided_by", waiver.people}};
    if (!waiver.step.empty()) fields["waived_step"] = waiver.step;
    KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kDeviation, std::move(fields)));
  }
  return {};
}

}  // namespace ceremony::run
