#include "ceremony/quorum/offline.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "ceremony/quorum/approval_file.h"
#include "ceremony/quorum/handed_over.h"
#include "ceremony/record/checkpoint.h"
#include "hsm/base/file.h"

namespace ceremony::quorum {
namespace {

constexpr std::size_t kMaxHandedOver = 1u << 20;
constexpr const char* kShowHere = "-";

std::string FileName(const std::string& text) {
  const auto checkpoint = record::Checkpoint::Parse(text);
  const std::string origin = checkpoint.ok() ? checkpoint->origin : text.substr(0, text.rfind('/', text.find('\n')));
  const auto parts = record::SplitOrigin(origin);
  return fmt::format("{}-{}.approval", parts.ok() ? parts->ceremony : "ceremony",
                     checkpoint.ok() ? std::to_string(checkpoint->size)
                                     : text.substr(origin.size() + 1, text.find('\n') - origin.size() - 1));
}

room::Question SignatureQuestion(const script::Person& person) {
  return {.kind = room::Question::Kind::kText,
          .id = "approve.offline/signature/" + person.id,
          .person = person.name,
          .text = "Your signature: the path of the file you bring back, or the line itself, typed, pasted or scanned.",
          .example = "/media/stick/root-2026-14.approval.signed",
          .may_go_back = true};
}

// Base64 may begin with a slash, too. It is long, and has no full stop.
bool IsPath(const std::string& given) {
  return given.starts_with('/') &&
         (given.size() <= 80 || given.find('.') != std::string::npos || access(given.c_str(), F_OK) == 0);
}

base::Result<void> ShowHere(const std::string& text, room::Terminal& terminal) {
  terminal.Say(room::Tone::kPlain, "Sign exactly these lines, each with its line end:");
  std::string_view rest = text;
  for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    terminal.Say(room::Tone::kPlain, std::string(rest.substr(0, end)));
    rest.remove_prefix(end + 1);
  }
  // An addendum of a long ceremony is larger than a QR code; then the file is the way.
  terminal.ShowQr("the same, to be scanned", text);
  return {};
}

// HandOut writes the request to a stick, or shows it.
base::Result<void> HandOut(const script::Person& person, const std::string& text, const std::string& log,
                           room::Terminal& terminal) {
  const std::string where = fmt::format(
      "You sign on a machine of your own. In which folder of your stick shall the request be written ({} shows it "
      "here)?",
      kShowHere);
  KC_ASSIGN_OR_RETURN(const std::string folder,
                      AskForFolder(person, "approve.offline/folder", where, OrHere::kYes, terminal));
  if (folder == kShowHere) return ShowHere(text, terminal);
  const std::string path = folder + "/" + FileName(text);
  KC_ASSIGN_OR_RETURN(const std::string file, WriteApprovalFile(text, log));
  KC_RETURN_IF_ERROR(base::WriteFile(path + ".json", file, {.replace = true}));
  KC_RETURN_IF_ERROR(base::WriteFile(path + ".txt", text, {.replace = true}));
  terminal.Say(room::Tone::kGood, fmt::format("Written: {0}.json (for `keyceremony custodian approve`) and {0}.txt "
                                              "(the text, for `openssl dgst -sha256 -sign`).",
                                              path));
  return {};
}

}  // namespace

base::Result<std::string> AskForFolder(const script::Person& person, const std::string& id, const std::string& text,
                                       OrHere or_here, room::Terminal& terminal) {
  const room::Question question{.kind = room::Question::Kind::kText,
                                .id = id + "/" + person.id,
                                .person = person.name,
                                .text = text,
                                .pattern = or_here == OrHere::kYes ? "(-|/[^ ].*)" : "/[^ ].*",
                                .example = "/media/stick"};
  for (;;) {
    base::Result<std::string> folder = terminal.Ask(question);
    std::error_code error;
    if (!folder.ok() || *folder == kShowHere || std::filesystem::is_directory(*folder, error)) return folder;
    terminal.Say(room::Tone::kBad, fmt::format("There is no folder {}.", *folder));
  }
}

base::Error OfStick(base::Error error) {
  if (error.code == base::ErrorCode::kIo) error.code = base::ErrorCode::kNotFound;
  return error;
}

base::Result<HandedOver> AskHandedOver(const room::Question& question, std::size_t most, room::Terminal& terminal) {
  base::Result<std::string> given = terminal.Ask(question);
  if (!given.ok()) return std::move(given).error();
  if (!IsPath(*given)) return HandedOver{"", std::move(given).value()};
  base::Result<std::string> read = base::ReadFile(*given, most);
  if (!read.ok()) return OfStick(std::move(read).error());
  return HandedOver{std::move(given).value(), std::move(read).value()};
}

base::Error NobodyThere(const std::string& what) {
  return base::MakeError(base::ErrorCode::kAborted, what + ", and nobody is at the terminal")
      .WithHint("go on with `keyceremony resume RECORD`, without --unattended");
}

base::Result<record::SignatureLine> SignOffline(const script::Person& person, const record::VerifierKey& key,
                                                const ApprovalRequest& request, bool& handed_out,
                                                room::Terminal& terminal) {
  std::string log;
  if (request.read_log) {
    KC_ASSIGN_OR_RETURN(const base::Bytes bytes, request.read_log());
    log.assign(base::AsText(bytes));
  }
  for (;;) {
    if (!handed_out) KC_RETURN_IF_ERROR(HandOut(person, request.text, log, terminal));
    handed_out = true;
    KC_ASSIGN_OR_RETURN(const HandedOver given, AskHandedOver(SignatureQuestion(person), kMaxHandedOver, terminal));
    if (given.bytes != room::kBack) return TakeHandedOver(given.bytes, key, request.text, CheckpointsIn(log));
    handed_out = false;
  }
}

}  // namespace ceremony::quorum
