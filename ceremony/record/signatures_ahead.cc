#include "ceremony/record/signatures_ahead.h"

#include <utility>
#include <vector>

#include "ceremony/record/scanner.h"
#include "hsm/base/aside.h"

namespace ceremony::record {
namespace {

// A thread costs about what one signature does, and half of them are the audit's own.
constexpr std::size_t kWorthAThread = 3;

// Only what the key remembers counts: a line that is no checkpoint is the audit's to judge.
void VerifyCheckpoint(std::string_view line, const VerifierKey& log_key, Scanner& scanner) {
  if (scanner.ScanEntry(line) != LineFault::kNone) return;
  const std::optional<std::string> text = DecodeString(scanner.Find("note"));
  if (!text) return;
  const base::Result<Note> note = Note::Parse(*text);
  if (!note.ok()) return;
  for (const SignatureLine& signature : note->signatures) {
    if (signature.IsBy(log_key)) static_cast<void>(log_key.Verify(note->text, signature.signature));
  }
}

}  // namespace

void CheckpointsAhead::Begin(const ScannedBlock& block, const VerifierKey& log_key) {
  std::vector<const LineEvent*> checkpoints;
  for (const LineEvent& event : block.events) {
    if (event.kind == LineEvent::Kind::kEntry && event.type == EntryType::kCheckpoint) checkpoints.push_back(&event);
  }
  if (checkpoints.size() < kWorthAThread) return;
  done_ = base::Aside([this, log_key, checkpoints = std::move(checkpoints)] {
    Scanner scanner;
    for (auto event = checkpoints.rbegin(); event != checkpoints.rend(); ++event) {
      if ((*event)->index <= front_.load(std::memory_order_relaxed)) return;
      VerifyCheckpoint((*event)->line, log_key, scanner);
    }
  });
}

std::future<void> CosignaturesAhead(const Note& note, const Electorate& electorate) {
  return base::Aside([&note, electorate] {
    for (const SignatureLine& line : note.signatures) {
      if (const auto signer = electorate.Find(line))
        static_cast<void>(electorate.keys()[*signer].Verify(note.text, line.signature));
    }
  });
}

}  // namespace ceremony::record
