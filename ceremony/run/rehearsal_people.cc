#include "ceremony/run/rehearsal_people.h"

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "ceremony/estate/fold.h"
#include "ceremony/quorum/key_file.h"
#include "ceremony/quorum/software_agreement_key.h"
#include "ceremony/record/checkpoint.h"
#include "ceremony/record/software_signer.h"
#include "ceremony/run/private_file.h"
#include "ceremony/script/person_file.h"
#include "hsm/base/clock.h"
#include "hsm/base/clock_text.h"
#include "hsm/base/encoding.h"

namespace ceremony::run {
namespace {

constexpr const char* kAppoint = "custodian.appoint";
constexpr const char* kRetire = "custodian.retire";

std::string FolderOf(const RehearsalPaths& paths, const std::string& person) { return paths.people + "/" + person; }

std::string PersonFilePath(const RehearsalPaths& paths, const std::string& person) {
  return FolderOf(paths, person) + "/person.json";
}

std::vector<const script::Step*> StepsOf(const script::Script& script, std::string_view kind) {
  std::vector<const script::Step*> found;
  for (const script::Section& section : script.sections) {
    for (const script::Step& step : section.steps) {
      if (step.kind == kind) found.push_back(&step);
    }
  }
  return found;
}

std::string Today() {
  base::SystemClock clock;
  return base::DayOf(base::FormatTime(clock.UtcMicros()));
}

// Simulate makes somebody who has come as far as `state`, today.
script::Person Simulate(const std::string& id, const std::string& name, script::PersonState state) {
  script::Person person;
  person.id = id;
  person.name = name;
  // Each has an employer of their own, so that no number of them is too many of one.
  person.employer = "Employer of " + id;
  person.roles = {script::Role::kCustodian};
  person.state = state;
  for (int step = 0; step <= static_cast<int>(state); ++step)
    person.history.push_back({static_cast<script::PersonState>(step), Today()});
  return person;
}

// The name in the script's own person file is the one that people expect to see.
std::string NameIn(const script::LoadedFile& file, const std::string& otherwise) {
  const auto read = script::ParsePersonFile(file);
  return read.ok() ? read->name : otherwise;
}

base::Result<bool> PrepareAppointee(const RehearsalPaths& paths, const script::Step& step, const script::Inputs& inputs,
                                    script::Roster& roster) {
  const std::string& id = step.fields.Text("person");
  if (access(PersonFilePath(paths, id).c_str(), F_OK) == 0 && roster.FindPerson(id) != nullptr) return false;
  const script::Person* known = roster.FindPerson(id);
  const script::LoadedFile& written = inputs.documents.at(step.fields.Text("file"));
  script::Person person = known != nullptr ? *known : Simulate(id, NameIn(written, id), script::PersonState::kTrained);
  KC_RETURN_IF_ERROR(MakeCredential(paths, roster.estate, person));
  script::PersonFile file{roster.estate, id, person.name, person.sign_key, person.open_key, {}};
  KC_ASSIGN_OR_RETURN(const std::string text, script::WritePersonFile(file));
  KC_RETURN_IF_ERROR(WritePrivateFile(PersonFilePath(paths, id), base::AsBytes(text)));
  if (known != nullptr) return false;
  // The roster learns the keys by the appointment.
  person.sign_key.clear();
  person.open_key.clear();
  roster.people.push_back(std::move(person));
  return true;
}

base::Result<script::Roster> CurrentRoster(const std::string& archive, const RehearsalPaths& paths) {
  KC_ASSIGN_OR_RETURN(const estate::Folded folded, estate::FoldArchive(archive));
  return script::ReadRoster(folded.roster_changed ? folded.newest_roster : paths.roster);
}

}  // namespace

script::CredentialBinding CredentialOf(const RehearsalPaths& paths, const std::string& person) {
  const std::string folder = FolderOf(paths, person);
  return script::CredentialBinding::Files(folder + "/sign.pem", folder + "/open.pem");
}

base::Result<void> MakeCredential(const RehearsalPaths& paths, const std::string& estate, script::Person& person) {
  const script::CredentialBinding files = CredentialOf(paths, person.id);
  KC_RETURN_IF_ERROR(MakePrivateFolder(FolderOf(paths, person.id)));
  KC_ASSIGN_OR_RETURN(const auto signer, record::SoftwareSigner::Generate(record::PersonKeyName(estate, person.id),
                                                                          record::SignatureType::kEcdsa));
  KC_ASSIGN_OR_RETURN(const base::SecretBytes sign, signer->Pkcs8());
  KC_RETURN_IF_ERROR(WritePrivateFile(files.sign, quorum::Pkcs8Pem(sign).view()));
  KC_ASSIGN_OR_RETURN(const auto opener, quorum::SoftwareAgreementKey::Generate());
  KC_ASSIGN_OR_RETURN(const base::SecretBytes open, opener->ToPkcs8());
  KC_RETURN_IF_ERROR(WritePrivateFile(files.open, quorum::Pkcs8Pem(open).view()));
  person.sign_key = base::Base64Encode(signer->key().public_key().spki());
  person.open_key = base::Base64Encode(opener->public_key().spki());
  return {};
}

base::Result<void> PreparePeople(const std::string& archive, const script::Inputs& inputs) {
  const RehearsalPaths paths(archive);
  KC_ASSIGN_OR_RETURN(script::Roster roster, CurrentRoster(archive, paths));
  for (const script::Step* step : StepsOf(inputs.script, kAppoint)) {
    KC_RETURN_IF_ERROR(PrepareAppointee(paths, *step, inputs, roster));
  }
  for (const script::Step* step : StepsOf(inputs.script, kRetire)) {
    const std::string& id = step->fields.Text("person");
    if (roster.FindPerson(id) != nullptr) continue;
    script::Person person = Simulate(id, id, script::PersonState::kActive);
    KC_RETURN_IF_ERROR(MakeCredential(paths, roster.estate, person));
    roster.people.push_back(std::move(person));
  }
  KC_ASSIGN_OR_RETURN(const std::string roster_text, script::WriteRoster(roster));
  KC_ASSIGN_OR_RETURN(const script::LoadedFile before, script::LoadFile(paths.roster));
  if (roster_text != before.bytes) KC_RETURN_IF_ERROR(WritePrivateFile(paths.roster, base::AsBytes(roster_text)));
  KC_ASSIGN_OR_RETURN(script::Binding binding, script::ReadBinding(paths.binding));
  bool changed = false;
  for (const script::Person& person : roster.people) {
    if (binding.credentials.contains(person.id)) continue;
    if (access(CredentialOf(paths, person.id).sign.c_str(), F_OK) != 0) continue;
    binding.credentials[person.id] = CredentialOf(paths, person.id);
    changed = true;
  }
  if (!changed) return {};
  KC_ASSIGN_OR_RETURN(const std::string binding_text, script::WriteBinding(binding));
  return WritePrivateFile(paths.binding, base::AsBytes(binding_text));
}

base::Result<void> TakeSimulatedPersonFiles(const std::string& archive, script::Inputs& inputs) {
  const RehearsalPaths paths(archive);
  for (const script::Step* step : StepsOf(inputs.script, kAppoint)) {
    KC_ASSIGN_OR_RETURN(script::LoadedFile file, script::LoadFile(PersonFilePath(paths, step->fields.Text("person"))));
    script::LoadedFile& document = inputs.documents.at(step->fields.Text("file"));
    file.name = document.name;
    document = std::move(file);
  }
  return {};
}

}  // namespace ceremony::run
