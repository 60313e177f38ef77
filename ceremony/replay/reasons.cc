#include <algorithm>
#include <array>
#include <cstdlib>

#include "ceremony/replay/compare.h"

namespace ceremony::replay {
namespace {

constexpr std::array<Reason, 29> kReasons = {{
    {"REPLAY-RECORD-01", false, "the verifier rejects the record itself"},
    {"REPLAY-CALL-01", false, "the record has a call that the script does not make"},
    {"REPLAY-CALL-02", false, "the script makes a call that the record does not have"},
    {"REPLAY-CALL-03", false, "the record has another call in this place"},
    {"REPLAY-TEMPLATE-01", false, "the call was made with another template"},
    {"REPLAY-RV-01", false, "the call returned something else"},
    {"REPLAY-ATTR-01", false, "an attribute that was stated, or that the same kind of token sets, reads otherwise"},
    {"REPLAY-KEY-01", false, "a name stands for something else than before: another key, serial number or digest"},
    {"REPLAY-ENTRY-01", false, "the record has an entry that the replay does not make"},
    {"REPLAY-ENTRY-02", false, "the replay makes an entry that the record does not have"},
    {"REPLAY-ENTRY-03", false, "an entry says something else"},
    {"REPLAY-ARTEFACT-01", false, "only one of the two has the file"},
    {"REPLAY-ARTEFACT-02", false, "a file says something else, beyond keys, serial numbers, times and signatures"},
    {"REPLAY-STEP-01", false, "the step was tried more often in the replay, or is not in the record"},
    {"REPLAY-STEP-02", false, "the replay could not go on where the record does"},
    {"REPLAY-NAME-01", true,
     "keys, object ids, serial numbers and digests are made anew; each stood for the same one throughout"},
    {"REPLAY-TIME-01", true, "it took place at another time"},
    {"REPLAY-PEOPLE-01", true, "simulated people stand in for those of the record, with keys of their own"},
    {"REPLAY-TOKEN-01", true, "the tokens are another product: SoftHSM"},
    {"REPLAY-PROGRAM-01", true, "another build of the program acted it again"},
    {"REPLAY-DEFAULT-01", true, "no template states this attribute, and each product has its own value for it"},
    {"REPLAY-QUIRK-01", true, "one of the two modules takes no such attribute in a template, or its objects have none"},
    {"REPLAY-QUIRK-02", true, "one of the two modules reports this attribute wrongly for the keys that it makes"},
    {"REPLAY-QUIRK-03", true,
     "the record's module did not keep what the template says when the key came in; it was set right after it"},
    {"REPLAY-QUIRK-04", true,
     "the record's module wants the point of an EC key that comes in, and it is that key's point"},
    {"REPLAY-QUIRK-05", true, "AES key wrap of RFC 5649 has a number of its own with each of the two modules"},
    {"REPLAY-COUNT-01", true,
     "other calls to the same end: another product needs them, or a program that was started anew"},
    {"REPLAY-FAULT-01", true,
     "this try failed, as the record itself says, and was made again: what failed then does not fail each time"},
    {"REPLAY-SOFTHSM-01", true, "SoftHSM cannot do this; it was passed over"},
}};

}  // namespace

std::span<const Reason> Reasons() { return kReasons; }

const Reason& FindReason(std::string_view id) {
  const auto* found = std::ranges::find(kReasons, id, &Reason::id);
  if (found == kReasons.end()) std::abort();
  return *found;
}

std::size_t Comparison::CountExpected() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(differences, [](const Difference& difference) { return difference.reason->expected; }));
}

std::size_t Comparison::CountUnexpected() const { return differences.size() - CountExpected(); }

}  // namespace ceremony::replay
