#include "ceremony/steps/catalogue.h"

#include <algorithm>
#include <array>

#include "ceremony/steps/token_kinds.h"

namespace ceremony::steps {

std::span<const StepKind* const> StepCatalogue::All() const {
  static const std::array kinds = {
      &RoomAttend(),      &RoomDepart(),    &RoomClock(),        &RoomConfirm(),     &RoomRecord(),
      &CommsNotify(),     &DocumentLodge(), &CustodianAppoint(), &CustodianRetire(), &TokenRegister(),
      &TokenCommission(), &TokenVerify(),   &TokenRole(),        &TokenCustody(),    &TokenRetire(),
      &FirmwareRecord(),  &KeyGenerate(),   &KeyClone(),         &KeyTransport(),    &KeyExport(),
      &KeyImport(),       &KeyProve(),      &KeySeal(),          &KeyDeactivate(),   &KeyDestroy(),
      &CertSelfSign(),    &CertIssue(),     &CertCrossSign(),    &CsrCreate(),       &CsrImport(),
      &CrlIssue(),        &PayloadSign(),   &QuorumReshare(),
  };
  return kinds;
}

const StepKind* StepCatalogue::Find(std::string_view kind) const {
  const auto all = All();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const StepKind* k) { return k->description().kind == kind; });
  return found == all.end() ? nullptr : *found;
}

const script::FieldTable* StepCatalogue::FieldsOf(std::string_view kind) const {
  const StepKind* found = Find(kind);
  return found == nullptr ? nullptr : &found->fields();
}

std::vector<std::string> StepCatalogue::Kinds() const {
  std::vector<std::string> names;
  for (const StepKind* kind : All()) names.emplace_back(kind->description().kind);
  return names;
}

const StepCatalogue& Catalogue() {
  static const StepCatalogue catalogue;
  return catalogue;
}

std::string TitleOf(const script::Step& step) {
  if (!step.title.empty()) return step.title;
  const StepKind* kind = Catalogue().Find(step.kind);
  return kind == nullptr ? step.id : kind->Title(step);
}

}  // namespace ceremony::steps
