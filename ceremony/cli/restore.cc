#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <ostream>

#include "ceremony/cli/command.h"
#include "ceremony/cli/custodian.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/one_record.h"
#include "ceremony/quorum/annex.h"
#include "ceremony/quorum/bound_credentials.h"
#include "ceremony/record/line_walk.h"
#include "ceremony/record/redact.h"
#include "ceremony/room/signals.h"
#include "ceremony/room/tty_device.h"
#include "ceremony/room/tty_terminal.h"
#include "ceremony/verify/print.h"
#include "ceremony/verify/verify.h"
#include "hsm/base/digest.h"
#include "hsm/base/file.h"

namespace ceremony::cli {
namespace {

struct Arguments {
  std::string bundle;
  std::string annex;
  std::string out;
  std::string roster;
  CredentialArguments credential;
};

// HeadOf reads what the bundle says of its annex.
base::Result<record::WithheldHead> HeadOf(const std::string& bundle) {
  KC_ASSIGN_OR_RETURN(const record::RecordFolder folder, record::RecordFolder::Open(bundle));
  std::optional<record::WithheldHead> head;
  const auto take_first = [&](std::string_view line) -> base::Result<bool> {
    head = record::WithheldHead::Parse(line);
    return false;
  };
  KC_RETURN_IF_ERROR(record::ForEachLine(folder, record::kWithheldFile, take_first));
  if (!head) return base::MakeError(base::ErrorCode::kCorrupt, bundle + "/withheld.jsonl is no ledger");
  return *std::move(head);
}

base::Result<int> Restore(const Arguments& arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const std::optional<record::Trust> trust, ReadTrust(arguments.roster));
  KC_ASSIGN_OR_RETURN(const HeldCredential held, ReadCredential(arguments.credential));
  KC_ASSIGN_OR_RETURN(const record::WithheldHead head, HeadOf(arguments.bundle));
  KC_ASSIGN_OR_RETURN(const std::string sealed, base::ReadFile(arguments.annex, quorum::kMaxAnnexBytes));
  if (!head.annex || head.annex->sha256 != base::Sha256Hex(sealed) || head.annex->size != sealed.size()) {
    return base::Refusal("RED-ANNEX-01", fmt::format("{} is not the annex of {}", arguments.annex, arguments.bundle),
                         "withheld.jsonl has the SHA-256 of the annex that belongs to a bundle");
  }
  KC_RETURN_IF_ERROR(room::TtyDevice::CheckThatPeopleCanType());
  const room::SignalScope signals;
  KC_ASSIGN_OR_RETURN(const std::unique_ptr<room::TtyTerminal> terminal, room::TtyTerminal::Open());
  quorum::BoundCredentials credentials(held.binding, *terminal);
  base::Bytes archive;
  const auto open = [&](quorum::AgreementKey& key) -> base::Result<void> {
    KC_ASSIGN_OR_RETURN(archive, quorum::OpenAnnex(sealed, head.origin, key));
    return {};
  };
  KC_RETURN_IF_ERROR(credentials.UseOpener(held.owner, open, {}));
  KC_ASSIGN_OR_RETURN(
      const record::RecordReport report,
      record::RestoreRecord(arguments.bundle, archive, arguments.out, trust ? &*trust : nullptr, verify::VerifyRecord));
  verify::PrintRecord(report, streams.out);
  return kExitDone;
}

}  // namespace

void AddRestore(CLI::App& program, Action& chosen) {
  CLI::App* command =
      program.add_subcommand("restore", "put a bundle and its annex together again: the whole record, byte for byte");
  command->group(kLook);
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("bundle", arguments->bundle, "the folder of a bundle")->required()->type_name("BUNDLE");
  command->add_option("--annex", arguments->annex, "the sealed annex that belongs to it")
      ->required()
      ->type_name("FILE");
  command->add_option("--out", arguments->out, "the folder to make; one that is there is left alone")
      ->required()
      ->type_name("RECORD");
  DescribeCredential(*command, arguments->credential);
  DescribeRoster(*command, arguments->roster);
  WhenChosen(*command, chosen, arguments, Restore);
}

}  // namespace ceremony::cli
