#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "ceremony/cli/approval_facts.h"
#include "ceremony/cli/custodian.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/quorum/bound_credentials.h"
#include "ceremony/quorum/seen_checkpoints.h"
#include "ceremony/room/signals.h"
#include "ceremony/room/tty_device.h"
#include "ceremony/room/tty_terminal.h"
#include "hsm/base/file.h"

namespace ceremony::cli {
namespace {

constexpr std::string_view kApproval = ".approval";
constexpr std::string_view kTextEnding = ".approval.txt";

struct Arguments {
  std::string request;
  CredentialArguments credential;
  std::string out;
};

base::Result<void> CheckEstate(const quorum::ApprovalWords& words, const std::string& estate) {
  KC_ASSIGN_OR_RETURN(const record::OriginParts parts, record::SplitOrigin(words.origin));
  if (parts.estate == estate) return {};
  return base::Refusal("CRED-18",
                       fmt::format("the request is of the estate {}, your credential of {}", parts.estate, estate),
                       "one credential serves one estate");
}

std::string DefaultOut(const std::string& request) {
  const std::string ending = ".json";
  return (request.ends_with(ending) ? request.substr(0, request.size() - ending.size()) : request) + ".signed";
}

base::Result<int> Approve(const Arguments& arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const HeldCredential held, ReadCredential(arguments.credential));
  KC_ASSIGN_OR_RETURN(script::LoadedFile file, script::LoadFile(arguments.request));
  if (file.name.ends_with(kTextEnding)) {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("{} is the text that openssl signs, expected the request", file.name))
        .WithHint(fmt::format("give {}.json, which the room wrote beside it",
                              file.name.substr(0, file.name.size() - kTextEnding.size() + kApproval.size())));
  }
  KC_ASSIGN_OR_RETURN(const quorum::RecordProof request, quorum::ParseApprovalFile(std::move(file)));
  KC_ASSIGN_OR_RETURN(const quorum::ApprovalWords words, quorum::CheckApprovalFile(request));
  KC_RETURN_IF_ERROR(CheckEstate(words, held.binding.estate));
  KC_ASSIGN_OR_RETURN(quorum::SeenCheckpoints seen, quorum::SeenCheckpoints::Read(held.seen));
  if (words.checkpoint) KC_RETURN_IF_ERROR(seen.Check(*words.checkpoint, request.extensions));
  KC_RETURN_IF_ERROR(room::TtyDevice::CheckThatPeopleCanType());

  const room::SignalScope signals;
  hsm::IgnoreBrokenPipes();
  KC_ASSIGN_OR_RETURN(const std::unique_ptr<room::TtyTerminal> terminal, room::TtyTerminal::Open());
  terminal->ShowFacts(FactsOf(words));
  KC_ASSIGN_OR_RETURN(const std::vector<ShownDigest> digests, DigestsOf(request, words));
  for (const ShownDigest& digest : digests) terminal->ShowDigest(digest.label, digest.digest);
  if (words.checkpoint) {
    terminal->Say(room::Tone::kPlain, seen.Sentence(words.origin));
  }
  room::Question question;
  question.id = "custodian.approve";
  question.person = held.owner.name;
  question.text = "Are the words above the ones that are read aloud in the room, and do you approve?";
  question.expected = "approve";
  KC_RETURN_IF_ERROR(terminal->Ask(question));

  quorum::BoundCredentials credentials(held.binding, *terminal);
  KC_ASSIGN_OR_RETURN(const quorum::Approval approval,
                      credentials.Approve(held.owner, {request.text, words.statement, {}, {}}));
  // Remembered before anybody sees the signature (C2SP tlog-witness).
  if (words.checkpoint) {
    seen.Remember(*words.checkpoint);
    KC_RETURN_IF_ERROR(seen.Write(held.seen));
  }
  const std::string out = arguments.out.empty() ? DefaultOut(arguments.request) : arguments.out;
  const record::Note note{request.text, {approval.line}};
  KC_RETURN_IF_ERROR(base::WriteFile(out, note.Serialise(), {.replace = true}));
  terminal->Say(room::Tone::kGood, fmt::format("Signed. Bring {} back, or the line below.", out));
  // A scanner is a keyboard, and no keyboard has the dash of a note.
  const std::string line = approval.line.Text();
  terminal->ShowQr("the same line, to be scanned", "--" + line.substr(std::string_view("—").size()));
  streams.out << line << '\n';
  return kExitDone;
}

}  // namespace

void AddCustodianApprove(CLI::App& custodian, Action& chosen) {
  CLI::App* command = custodian.add_subcommand("approve", "see what is asked for, and sign it on your own machine");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("request", arguments->request, "the approval request that the room wrote")
      ->required()
      ->type_name("FILE");
  DescribeCredential(*command, arguments->credential);
  DescribeSeen(*command, arguments->credential);
  command->add_option("--out", arguments->out, "where the signed note goes; beside the request when left out")
      ->type_name("FILE");
  WhenChosen(*command, chosen, arguments, Approve);
}

}  // namespace ceremony::cli
