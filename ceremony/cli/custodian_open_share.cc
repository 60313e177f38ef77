#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <ostream>

#include "ceremony/cli/custodian.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/share_facts.h"
#include "ceremony/quorum/bound_credentials.h"
#include "ceremony/quorum/seen_checkpoints.h"
#include "ceremony/quorum/share_request.h"
#include "ceremony/room/signals.h"
#include "ceremony/room/tty_device.h"
#include "ceremony/room/tty_terminal.h"
#include "hsm/base/file.h"

namespace ceremony::cli {
namespace {

struct Arguments {
  std::string request;
  std::string share;
  CredentialArguments credential;
  std::string out;
};

base::Result<void> CheckOwner(const quorum::ShareRequest& request, const HeldCredential& held) {
  if (request.share.estate != held.binding.estate) {
    return base::Refusal("CRED-18",
                         fmt::format("the request is of the estate {}, your credential of {}", request.share.estate,
                                     held.binding.estate),
                         "one credential serves one estate");
  }
  if (request.share.holder != held.owner.id) {
    return base::Refusal("SHARE-HOLDER-01",
                         fmt::format("the request is for the share of {}, this is the credential of {}",
                                     request.share.holder, held.owner.id),
                         "each custodian opens the share that was sealed to them");
  }
  return {};
}

// CheckCopy holds the share in the request against the one that its holder took along.
base::Result<void> CheckCopy(const quorum::ShareRequest& request, const std::string& path) {
  KC_ASSIGN_OR_RETURN(script::LoadedFile file, script::LoadFile(path));
  KC_ASSIGN_OR_RETURN(const script::ShareFile own, script::ParseShare(std::move(file)));
  const script::ShareFile& asked = request.share;
  const bool same = own.estate == asked.estate && own.token == asked.token && own.set == asked.set &&
                    own.user.commitment == asked.user.commitment &&
                    own.security_officer.commitment == asked.security_officer.commitment;
  if (same) return {};
  return base::Refusal(
      "SHARE-HAND-05",
      fmt::format("the request has a share of token {}, set {} (generation {}), and {} is one of token "
                  "{}, set {} (generation {})",
                  asked.token, asked.set, asked.generation, path, own.token, own.set, own.generation),
      "one of the two is older, or of another token: ask in the room which set opens the token now");
}

std::string DefaultOut(const std::string& request) {
  const std::string ending = ".share-request.json";
  return (request.ends_with(ending) ? request.substr(0, request.size() - ending.size()) : request) +
         ".share-answer.json";
}

base::Result<int> OpenShare(const Arguments& arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const HeldCredential held, ReadCredential(arguments.credential));
  KC_ASSIGN_OR_RETURN(script::LoadedFile file, script::LoadFile(arguments.request));
  KC_ASSIGN_OR_RETURN(const quorum::ShareRequest request, quorum::ParseShareRequest(std::move(file)));
  KC_RETURN_IF_ERROR(CheckOwner(request, held));
  if (!arguments.share.empty()) KC_RETURN_IF_ERROR(CheckCopy(request, arguments.share));
  KC_ASSIGN_OR_RETURN(const record::Checkpoint checkpoint, quorum::CheckShareRequest(request));
  KC_ASSIGN_OR_RETURN(quorum::SeenCheckpoints seen, quorum::SeenCheckpoints::Read(held.seen));
  KC_RETURN_IF_ERROR(seen.Check(checkpoint, request.proof->extensions));
  KC_ASSIGN_OR_RETURN(const base::Sha256Digest digest, quorum::DigestOf(request));
  KC_RETURN_IF_ERROR(room::TtyDevice::CheckThatPeopleCanType());

  const room::SignalScope signals;
  hsm::IgnoreBrokenPipes();
  KC_ASSIGN_OR_RETURN(const std::unique_ptr<room::TtyTerminal> terminal, room::TtyTerminal::Open());
  terminal->ShowFacts(FactsOf(request));
  terminal->ShowDigest(kRequestDigestLabel, digest);
  terminal->Say(room::Tone::kPlain, fmt::format("The record holds this request, as entry {}. {}", request.proof->index,
                                                seen.Sentence(request.origin)));
  room::Question question;
  question.id = "custodian.open-share";
  question.person = held.owner.name;
  question.text =
      "Are the words above the ones that are shown in the room, and do you give your share for this? It leaves this "
      "machine sealed, for that one use.";
  question.expected = "give";
  KC_RETURN_IF_ERROR(terminal->Ask(question));

  quorum::BoundCredentials credentials(held.binding, *terminal);
  quorum::ShareAnswer answer;
  const auto open = [&](quorum::AgreementKey& opener) -> base::Result<void> {
    KC_ASSIGN_OR_RETURN(answer, quorum::AnswerShareRequest(request, opener));
    return {};
  };
  KC_RETURN_IF_ERROR(credentials.UseOpener(held.owner, open, {}));
  KC_ASSIGN_OR_RETURN(const std::string text, quorum::WriteShareAnswer(answer));
  seen.Remember(checkpoint);
  KC_RETURN_IF_ERROR(seen.Write(held.seen));
  const std::string out = arguments.out.empty() ? DefaultOut(arguments.request) : arguments.out;
  KC_RETURN_IF_ERROR(base::WriteFile(out, text, {.replace = true}));
  terminal->Say(room::Tone::kGood, fmt::format("Your share is opened, checked, and sealed to the ceremony. Bring {} "
                                               "back, or have the code below scanned.",
                                               out));
  terminal->ShowQr("the same, to be scanned", text.substr(0, text.size() - 1));
  streams.out << out << '\n';
  return kExitDone;
}

}  // namespace

void AddCustodianOpenShare(CLI::App& custodian, Action& chosen) {
  CLI::App* command =
      custodian.add_subcommand("open-share", "open your share on your own machine, and seal it to the ceremony");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("request", arguments->request, "the share request that the room wrote")
      ->required()
      ->type_name("FILE");
  DescribeCredential(*command, arguments->credential);
  command->add_option("--share", arguments->share, "your own copy of the share file, to be compared with the request's")
      ->type_name("FILE");
  DescribeSeen(*command, arguments->credential);
  command->add_option("--out", arguments->out, "where the answer goes; beside the request when left out")
      ->type_name("FILE");
  WhenChosen(*command, chosen, arguments, OpenShare);
}

}  // namespace ceremony::cli
