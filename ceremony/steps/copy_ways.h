// Chooses how a key gets from one token to another, before anybody is asked.
#ifndef CEREMONY_STEPS_COPY_WAYS_H_
#define CEREMONY_STEPS_COPY_WAYS_H_

#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/fields.h"
#include "ceremony/script/policy.h"
#include "ceremony/steps/plan.h"
#include "hsm/transport.h"

namespace ceremony::steps {

inline constexpr std::string_view kBestTransport = "best";

// TransportField is the field that chooses: the best that both tokens have, or one by name.
script::Field TransportField();

// SealedTransportField is the same for a key that travels as a file.
script::Field SealedTransportField();

// ChosenWay is the way, and the findings about it.
struct ChosenWay {
  hsm::CopyWay way;
  std::vector<Finding> findings;  // rule, severity, message
};

// ChooseWay chooses by what the two tokens say they can do, without a login.
// KEY-WAY-01: there is no way, or not the requested one; the message lists the ways
// that exist. Findings, graded by the policy (good practice if it is silent):
//   KEY-WAY-02  the AES key travels by OAEP with SHA-1, since one token has no SHA-256
//   KEY-WAY-03  the AES key is agreed by ECDH without a key derivation function
// One that the policy calls a breach is a refusal.
base::Result<ChosenWay> ChooseWay(const script::Policy& policy, hsm::Token& source, hsm::Token& target,
                                  std::string_view transport);

// Limits that are not in a token's list of mechanisms and would otherwise show only during the copy:
//   KEY-WAY-04  the source wraps no key of this algorithm
//   KEY-WAY-05  the copy is to stay (not extractable), and the target lets every key out
base::Result<void> CheckLeaves(const hsm::Token& source, std::string_view algorithm);
base::Result<void> CheckStays(const hsm::Token& target, bool extractable);

// ChooseSealedTransport chooses how a key leaves for an absent token: from what that token accepts
// (names, best first) the best that the source can do, or the requested one.
// Refusals and findings as above.
struct ChosenTransport {
  hsm::Transport transport;
  std::vector<Finding> findings;
};
base::Result<ChosenTransport> ChooseSealedTransport(const script::Policy& policy, hsm::Token& source,
                                                    const std::vector<std::string>& taken_in,
                                                    std::string_view transport);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_COPY_WAYS_H_
