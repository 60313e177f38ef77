// Any bytes as a signed note: parsed strictly, what is accepted is spelled the
// same way again, and so is the checkpoint in it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ceremony/record/checkpoint.h"
#include "ceremony/record/note.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ceremony::record;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const base::Result<Note> note = Note::Parse(text);
  if (!note.ok()) return 0;
  if (note->Serialise() != text) std::abort();
  const base::Result<Checkpoint> checkpoint = Checkpoint::Parse(note->text);
  if (checkpoint.ok() && checkpoint->Text() != note->text) std::abort();
  return 0;
}
