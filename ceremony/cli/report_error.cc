#include "ceremony/cli/report_error.h"

#include <ostream>
#include <string>
#include <string_view>

#include "ceremony/cli/exit_code.h"
#include "ceremony/room/text.h"

namespace ceremony::cli {
namespace {

void WriteLines(std::ostream& err, std::string_view kind, std::string_view text, std::string_view rule) {
  const std::string shown = room::Visible(text, room::Charset::kUtf8, room::LineFeeds::kBreak);
  std::string_view rest = shown;
  for (bool first = true;; first = false) {
    const std::size_t end = rest.find('\n');
    err << "keyceremony: " << kind << ": " << rest.substr(0, end);
    if (first && !rule.empty()) err << " [" << rule << "]";
    err << '\n';
    if (end == std::string_view::npos) return;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace

int ReportError(const base::Error& error, std::ostream& err) {
  WriteLines(err, "error", error.message.empty() ? base::ErrorCodeName(error.code) : error.message, error.rule);
  if (!error.hint.empty()) WriteLines(err, "hint", error.hint, {});
  if (error.code == base::ErrorCode::kInternal) {
    WriteLines(err, "hint",
               "this is a bug in keyceremony " KEYCEREMONY_VERSION
               ", and nothing you did: send these lines, the command and the record's log.jsonl to whoever "
               "maintains it (SECURITY.md says how)",
               {});
  }
  err.flush();
  return ExitStatusOf(error.code);
}

}  // namespace ceremony::cli
