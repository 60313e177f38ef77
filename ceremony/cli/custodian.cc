#include "ceremony/cli/custodian.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "ceremony/script/person_file.h"

namespace ceremony::cli {
namespace {

// Where a machine keeps what its user has signed with a card.
std::string SeenOfUser() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state != '\0') return std::string(state) + "/keyceremony/" + kSeenFile;
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "." : home) + "/.local/state/keyceremony/" + kSeenFile;
}

}  // namespace

script::CredentialBinding CardArguments::ToBinding() const {
  script::CredentialBinding bound;
  bound.kind = script::CredentialKind::kCard;
  bound.module = module;
  bound.label = label;
  bound.serial = serial;
  bound.init_args = init_args;
  return bound;
}

void DescribeCard(CLI::App& command, CardArguments& card) {
  CLI::Option* module =
      command.add_option("--card", card.module, "the PKCS#11 module of your card")->type_name("MODULE");
  command.add_option("--label", card.label, "the card's label")->type_name("TEXT")->needs(module);
  command.add_option("--serial", card.serial, "the card's serial number")->type_name("TEXT")->needs(module);
  command.add_option("--init-args", card.init_args, "what the module is started with, as NSS wants it")
      ->type_name("TEXT")
      ->needs(module);
}

void DescribeCredential(CLI::App& command, CredentialArguments& credential) {
  command.add_option("--credential", credential.folder, "the folder that `keyceremony custodian new` made for you")
      ->type_name("FOLDER");
  DescribeCard(command, credential.card);
  command.add_option("--person", credential.person, "your person.json, where the keys are on a card")
      ->type_name("FILE");
}

void DescribeSeen(CLI::App& command, CredentialArguments& credential) {
  command
      .add_option("--seen", credential.seen,
                  "what this machine has seen of each record; seen.json beside your keys when left out")
      ->type_name("FILE");
}

base::Result<HeldCredential> ReadCredential(const CredentialArguments& arguments) {
  const bool on_card = !arguments.card.module.empty();
  if (on_card == !arguments.folder.empty()) {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           on_card ? "--credential and --card were both given" : "no credential was named")
        .WithHint("give --credential FOLDER, or --card MODULE with --label or --serial and --person FILE");
  }
  if (on_card && (arguments.person.empty() || (arguments.card.label.empty() && arguments.card.serial.empty()))) {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           arguments.person.empty() ? "--card needs --person" : "--card needs --label or --serial")
        .WithHint("person.json names the keys that are looked for on the card");
  }
  const std::string folder = arguments.folder.empty() ? "" : std::filesystem::absolute(arguments.folder).string();
  KC_ASSIGN_OR_RETURN(script::LoadedFile file,
                      script::LoadFile(arguments.person.empty() ? folder + "/" + kPersonFile : arguments.person));
  HeldCredential held;
  KC_ASSIGN_OR_RETURN(const script::PersonFile person, script::ParsePersonFile(std::move(file)));
  held.owner.id = person.id;
  held.owner.name = person.name;
  held.owner.sign_key = person.sign_key;
  held.owner.open_key = person.open_key;
  held.binding.estate = person.estate;
  held.binding.environment = script::Environment::kProduction;
  held.binding.credentials[held.owner.id] =
      on_card ? arguments.card.ToBinding()
              : script::CredentialBinding::Files(folder + "/" + kSignFile, folder + "/" + kOpenFile);
  held.seen = !arguments.seen.empty() ? arguments.seen : on_card ? SeenOfUser() : folder + "/" + kSeenFile;
  return held;
}

void AddCustodian(CLI::App& program, Action& chosen) {
  CLI::App* custodian =
      program
          .add_subcommand("custodian",
                          "for a custodian alone: make a credential, show a file, approve or open a share offline")
          ->group(kPrepare)
          ->require_subcommand(1);
  AddCustodianNew(*custodian, chosen);
  AddCustodianShow(*custodian, chosen);
  AddCustodianApprove(*custodian, chosen);
  AddCustodianOpenShare(*custodian, chosen);
}

}  // namespace ceremony::cli
