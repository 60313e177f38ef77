// Which way a key takes from one token to another, chosen before anybody is asked.
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

// ChosenWay is the way, and what is to be said about it.
struct ChosenWay {
  hsm::CopyWay way;
  std::vector<Finding> findings;  // rule, severity, message
};

// ChooseWay chooses between two tokens by what they say they can do; nobody is logged
// in. KEY-WAY-01: there is no way, or not the one that is asked for; the message lists
// those there are. Findings, graded by the policy (good practice where it is silent):
//   KEY-WAY-02  the AES key travels by OAEP with SHA-1, since one token has no SHA-256
//   KEY-WAY-03  the AES key is agreed by ECDH without a key derivation function
// One that the policy calls a breach is a refusal.
base::Result<ChosenWay> ChooseWay(const script::Policy& policy, hsm::Token& source, hsm::Token& target,
                                  std::string_view transport);

// What a token's list of mechanisms does not tell, and would show only when the key is on its way:
//   KEY-WAY-04  the source wraps no key of this algorithm
//   KEY-WAY-05  the copy is to stay (not extractable), and the target lets every key out
base::Result<void> CheckLeaves(const hsm::Token& source, std::string_view algorithm);
base::Result<void> CheckStays(const hsm::Token& target, bool extractable);

// ChooseSealedTransport chooses how a key leaves for a token that is not here: of what that token
// takes in (names, best first) the best that the source can do, or the one that is asked for.
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
