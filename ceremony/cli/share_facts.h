// Share files and share requests in plain words.
#ifndef CEREMONY_CLI_SHARE_FACTS_H_
#define CEREMONY_CLI_SHARE_FACTS_H_

#include <string>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/quorum/share_request.h"
#include "ceremony/room/terminal.h"
#include "ceremony/script/share_file.h"

namespace ceremony::cli {

inline constexpr const char* kRequestDigestLabel = "this request: the room must show the same words";

// FactsOf lists what the holder must know about a share, or before giving it.
std::vector<room::Fact> FactsOf(const script::ShareFile& share);
std::vector<room::Fact> FactsOf(const quorum::ShareRequest& request);

// StandingOf says what a share is worth by an archive: "opens token root-hsm now",
// "superseded: ...", or why it does not belong to the archive.
std::string StandingOf(const script::ShareFile& share, const estate::Estate& estate);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_SHARE_FACTS_H_
