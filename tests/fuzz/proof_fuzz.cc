// Any bytes as a tlog-proof: what is accepted is spelled the same way again, and
// judging it reads nothing outside it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "ceremony/record/tlog_proof.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ceremony::record;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const base::Result<TlogProof> proof = TlogProof::Parse(text);
  if (proof.ok() && proof->Text() != text) std::abort();
  const base::Result<ProofReport> report = VerifyProof(text, std::nullopt, nullptr);
  // Nobody is pinned, so nothing is ever proven.
  if (report.ok() && report->verdict == Verdict::kComplete) std::abort();
  return 0;
}
