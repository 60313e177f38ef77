// Opening a share elsewhere: the request goes out on a stick, the share comes
// back sealed to this ceremony, as a file, pasted or scanned.
#ifndef CEREMONY_QUORUM_OFFLINE_SHARE_H_
#define CEREMONY_QUORUM_OFFLINE_SHARE_H_

#include <vector>

#include "ceremony/quorum/credential.h"
#include "ceremony/room/terminal.h"
#include "ceremony/script/roster.h"
#include "hsm/base/result.h"

namespace ceremony::quorum {

// OpenElsewhere asks for a folder (a stick), writes there
// `<ceremony>-<token>-<person>.share-request.json`, shows the digest of the request,
// and takes the answer. Each call makes a request of its own, with a key of its own.
// Refusals as ShareHandOver::Take; kIo when a file cannot be written or read;
// kAborted when nobody is at the terminal.
base::Result<std::vector<ShamirShare>> OpenElsewhere(const script::Person& person, const ShareUse& use,
                                                     room::Terminal& terminal);

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_OFFLINE_SHARE_H_
