#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "ceremony/cli/approval_facts.h"
#include "ceremony/cli/custodian.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/quorum/approval_file.h"
#include "ceremony/room/look.h"
#include "ceremony/room/typesetter.h"
#include "ceremony/script/person_file.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::cli {
namespace {

struct Arguments {
  std::string file;
};

// The format word of a file, or an empty text.
std::string FormatOf(const script::LoadedFile& file) {
  const nlohmann::json json = nlohmann::json::parse(file.bytes, nullptr, false);
  return json.is_object() && json.contains("format") && json["format"].is_string() ? json["format"].get<std::string>()
                                                                                   : std::string();
}

base::Result<std::string> ShowPerson(script::LoadedFile file, room::Typesetter& typesetter) {
  KC_ASSIGN_OR_RETURN(const script::PersonFile person, script::ParsePersonFile(std::move(file)));
  std::string text = typesetter.SetFacts(
      {{"what", "a custodian's public keys"}, {"name", person.name}, {"id", person.id}, {"estate", person.estate}});
  const auto key = [&](const char* label, const std::string& base64) -> base::Result<void> {
    KC_ASSIGN_OR_RETURN(const base::Bytes spki, base::Base64Decode(base64));
    text += typesetter.SetDigest(label, base::Sha256Of(spki));
    return {};
  };
  KC_RETURN_IF_ERROR(key("the key that approves (SHA-256)", person.sign_key));
  if (!person.open_key.empty()) KC_RETURN_IF_ERROR(key("the key that opens shares (SHA-256)", person.open_key));
  return text;
}

base::Result<std::string> ShowApproval(script::LoadedFile file, room::Typesetter& typesetter) {
  KC_ASSIGN_OR_RETURN(const quorum::ApprovalFile approval, quorum::ParseApprovalFile(std::move(file)));
  KC_ASSIGN_OR_RETURN(const quorum::ApprovalWords words, quorum::CheckApprovalFile(approval));
  std::string text = typesetter.SetFacts(FactsOf(words));
  KC_ASSIGN_OR_RETURN(const std::vector<ShownDigest> digests, DigestsOf(approval, words));
  for (const ShownDigest& digest : digests) text += typesetter.SetDigest(digest.label, digest.digest);
  return text;
}

base::Result<int> Show(const Arguments& arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(script::LoadedFile file, script::LoadFile(arguments.file));
  room::Typesetter typesetter(room::LookOf(1));
  const std::string format = FormatOf(file);
  std::string text;
  if (format == "keyceremony-person/1") {
    KC_ASSIGN_OR_RETURN(text, ShowPerson(std::move(file), typesetter));
  } else if (format == "keyceremony-approval/1") {
    KC_ASSIGN_OR_RETURN(text, ShowApproval(std::move(file), typesetter));
  } else {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("{} is neither a person file nor an approval request", arguments.file))
        .WithHint("its \"format\" would be keyceremony-person/1 or keyceremony-approval/1");
  }
  streams.out << text;
  return kExitDone;
}

}  // namespace

void AddCustodianShow(CLI::App& custodian, Action& chosen) {
  CLI::App* command = custodian.add_subcommand("show", "say in plain words what a file is");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("file", arguments->file, "a person.json or an approval request")->required()->type_name("FILE");
  command->callback(
      [arguments, &chosen] { chosen = [arguments](const Streams& streams) { return Show(*arguments, streams); }; });
}

}  // namespace ceremony::cli
