// Any bytes as each kind of file that a ceremony is given: read or refused, and
// what is accepted can be written, and is read back then. A refusal names the file.
#include <cstddef>
#include <cstdint>
#include <string>

#include "ceremony/script/binding.h"
#include "ceremony/script/crl_profile.h"
#include "ceremony/script/fault_file.h"
#include "ceremony/script/person_file.h"
#include "ceremony/script/policy.h"
#include "ceremony/script/profile.h"
#include "ceremony/script/roster.h"
#include "ceremony/script/share_file.h"
#include "ceremony/steps/catalogue.h"
#include "tests/fuzz/demand.h"

namespace {

template <typename File>
bool Accepted(const base::Result<File>& read) {
  fuzz::Demand(read.ok() || read.error().message.find("input.json") != std::string::npos);
  return read.ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ceremony::script;
  using fuzz::Demand;
  LoadedFile file;
  file.name = "input.json";
  file.bytes.assign(reinterpret_cast<const char*>(data), size);
  if (const auto binding = ParseBinding(file); Accepted(binding)) Demand(WriteBinding(*binding).ok());
  if (const auto roster = ParseRoster(file); Accepted(roster)) Demand(WriteRoster(*roster).ok());
  if (const auto person = ParsePersonFile(file); Accepted(person)) Demand(WritePersonFile(*person).ok());
  if (const auto share = ParseShare(file); Accepted(share)) Demand(WriteShare(*share).ok());
  if (const auto script = ParseScript(file, ceremony::steps::Catalogue()); Accepted(script))
    Demand(script->StepCount() > 0);
  Accepted(ParsePolicy(file));
  Accepted(ParseProfile(file));
  Accepted(ParseCrlProfile(file));
  Accepted(ParseFaults(file));
  return 0;
}
