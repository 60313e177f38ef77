#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <system_error>
#include <utility>

#include "ceremony/cli/approval_facts.h"
#include "ceremony/cli/custodian.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/own_output.h"
#include "ceremony/cli/share_facts.h"
#include "ceremony/estate/fold.h"
#include "ceremony/quorum/approval_file.h"
#include "ceremony/room/typesetter.h"
#include "ceremony/script/person_file.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::cli {
namespace {

struct Arguments {
  std::string file;
  std::string archive;
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
  KC_ASSIGN_OR_RETURN(const quorum::RecordProof approval, quorum::ParseApprovalFile(std::move(file)));
  KC_ASSIGN_OR_RETURN(const quorum::ApprovalWords words, quorum::CheckApprovalFile(approval));
  std::string text = typesetter.SetFacts(FactsOf(words));
  KC_ASSIGN_OR_RETURN(const std::vector<ShownDigest> digests, DigestsOf(approval, words));
  for (const ShownDigest& digest : digests) text += typesetter.SetDigest(digest.label, digest.digest);
  return text;
}

base::Result<std::string> ShowShare(script::LoadedFile file, const std::string& archive, room::Typesetter& typesetter) {
  KC_ASSIGN_OR_RETURN(const script::ShareFile share, script::ParseShare(std::move(file)));
  std::vector<room::Fact> facts = FactsOf(share);
  if (!archive.empty()) {
    KC_ASSIGN_OR_RETURN(const estate::Folded folded, estate::FoldArchive(archive));
    facts.push_back({"in the archive", StandingOf(share, folded.estate)});
  }
  KC_ASSIGN_OR_RETURN(const base::Bytes key, base::HexDecode(share.holder_key));
  return typesetter.SetFacts(facts) + typesetter.SetDigest("the key that opens it (SHA-256)", key);
}

base::Result<std::string> ShowShareRequest(script::LoadedFile file, room::Typesetter& typesetter) {
  KC_ASSIGN_OR_RETURN(const quorum::ShareRequest request, quorum::ParseShareRequest(std::move(file)));
  KC_ASSIGN_OR_RETURN(const record::Checkpoint checkpoint, quorum::CheckShareRequest(request));
  KC_ASSIGN_OR_RETURN(const base::Sha256Digest digest, quorum::DigestOf(request));
  std::vector<room::Fact> facts = FactsOf(request);
  facts.push_back(
      {"in the record", fmt::format("entry {} of {}, as the proof shows", request.proof->index, checkpoint.size)});
  return typesetter.SetFacts(facts) + typesetter.SetDigest(kRequestDigestLabel, digest);
}

base::Result<std::string> ShowShareAnswer(script::LoadedFile file, room::Typesetter& typesetter) {
  KC_ASSIGN_OR_RETURN(const quorum::ShareAnswer answer, quorum::ParseShareAnswer(std::move(file)));
  KC_ASSIGN_OR_RETURN(const base::Bytes digest, base::HexDecode(answer.request));
  return typesetter.SetFacts({{"what", "a share on its way to the ceremony that asked for it, sealed to it"},
                              {"holder", answer.holder}}) +
         typesetter.SetDigest("the request that it answers", digest);
}

base::Result<int> Show(const Arguments& arguments, const Streams& streams) {
  std::error_code none;
  if (std::filesystem::is_directory(arguments.file, none)) {
    const std::string person = (std::filesystem::path(arguments.file) / "person.json").string();
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("{} is a folder, expected a file", arguments.file))
        .WithHint(std::filesystem::exists(person, none) ? fmt::format("did you mean {}?", person)
                                                        : std::string("give one of the files in it"));
  }
  KC_ASSIGN_OR_RETURN(script::LoadedFile file, script::LoadFile(arguments.file));
  script::Problems problems;
  if (!script::Document::Parse(file.name, file.bytes, problems)) return problems.ToError();
  room::Typesetter typesetter(LookOfOutput());
  const std::string format = FormatOf(file);
  std::string text;
  if (format == "keyceremony-person/1") {
    KC_ASSIGN_OR_RETURN(text, ShowPerson(std::move(file), typesetter));
  } else if (format == "keyceremony-approval/1") {
    KC_ASSIGN_OR_RETURN(text, ShowApproval(std::move(file), typesetter));
  } else if (format == "keyceremony-share/1") {
    KC_ASSIGN_OR_RETURN(text, ShowShare(std::move(file), arguments.archive, typesetter));
  } else if (format == "keyceremony-share-request/1") {
    KC_ASSIGN_OR_RETURN(text, ShowShareRequest(std::move(file), typesetter));
  } else if (format == "keyceremony-share-answer/1") {
    KC_ASSIGN_OR_RETURN(text, ShowShareAnswer(std::move(file), typesetter));
  } else {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("{} is none of a custodian's files", arguments.file))
        .WithRule(std::string(script::kRuleFormat))
        .WithHint(
            "its \"format\" would be keyceremony-person/1, -approval/1, -share/1, -share-request/1 or -share-answer/1");
  }
  streams.out << text;
  return kExitDone;
}

}  // namespace

void AddCustodianShow(CLI::App& custodian, Action& chosen) {
  CLI::App* command = custodian.add_subcommand("show", "say in plain words what a file is");
  const auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("file", arguments->file, "a person file, approval request, share file, or share request or answer")
      ->required()
      ->type_name("FILE");
  command->add_option("--archive", arguments->archive, "say of a share file whether it still opens its token")
      ->type_name("FOLDER");
  WhenChosen(*command, chosen, arguments, Show);
}

}  // namespace ceremony::cli
