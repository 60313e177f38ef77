// Any bytes as a line of a log: the scanner must take or refuse them, read
// nothing outside them, and accept only what the writer's own reader accepts
// and would spell the same way.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "ceremony/record/bounded_parse.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/scanner.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ceremony::record;
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  Scanner scanner;
  const LineFault fault = scanner.ScanEntry(line);
  const bool accepted = fault == LineFault::kNone;
  const auto entry = ParseEntry(line);
  if (accepted != entry.ok()) std::abort();
  if (accepted && Canonicalise(*entry).value() != line) std::abort();
  // Who reads without verifying takes at least that.
  if (accepted && ParseBounded(line).is_discarded()) std::abort();
  if (fault != LineFault::kNone && scanner.fault_offset() > size) std::abort();
  if (scanner.ScanObject(line) == LineFault::kNone) {
    for (const Member& member : scanner.members()) {
      DecodeString(member.value);
      DecodeInteger(member.value);
      PlainString(member.value);
      DecodeArray(member.value);
    }
  }
  return 0;
}
