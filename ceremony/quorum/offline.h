// Approving offline: the request leaves the room as a file or on the screen, and
// a signature comes back as a file, typed, pasted or scanned.
#ifndef CEREMONY_QUORUM_OFFLINE_H_
#define CEREMONY_QUORUM_OFFLINE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "ceremony/quorum/credential.h"
#include "ceremony/record/note.h"
#include "ceremony/room/terminal.h"
#include "ceremony/script/roster.h"
#include "hsm/base/result.h"

namespace ceremony::quorum {

// AskForFolder asks a person in which folder (of a stick) something is written for
// them, until there is such a folder; `text` is the question. Where `or_here`, "-" is an answer, too: show it here.
enum class OrHere : std::uint8_t { kNo, kYes };
base::Result<std::string> AskForFolder(const script::Person& person, const std::string& id, const std::string& text,
                                       OrHere or_here, room::Terminal& terminal);

// HandedOver is what somebody gave: the bytes of the file whose path they typed, or the very text that was typed,
// pasted or scanned.
struct HandedOver {
  std::string path;  // empty: it was no file
  std::string bytes;
};
// AskHandedOver asks for it; at most `most` bytes. A file that cannot be read is kNotFound: a stick that fails is no
// disk of the record's, and its owner tries again, or somebody else comes in.
base::Result<HandedOver> AskHandedOver(const room::Question& question, std::size_t most, room::Terminal& terminal);

// OfStick is an error of a person's stick, so that nobody takes it for one of the record's disk.
base::Error OfStick(base::Error error);

// NobodyThere is the error when somebody must be asked, and nobody is at the terminal: kAborted. `what` says in words
// who must do what: "Alice Archer approves with a credential of their own".
base::Error NobodyThere(const std::string& what);

// SignOffline asks for a folder (a stick), writes there `<ceremony>-<size>.approval.json`
// (approval_file.h) and `<ceremony>-<size>.approval.txt` (the very bytes to be signed),
// or shows text and QR code when there is no folder, and takes the signature back.
// `handed_out` is whether an earlier try has got as far: then only the signature is asked for,
// and "back" has the request written once more.
// Refusals as TakeHandedOver; kIo when a file cannot be written.
base::Result<record::SignatureLine> SignOffline(const script::Person& person, const record::VerifierKey& key,
                                                const ApprovalRequest& request, bool& handed_out,
                                                room::Terminal& terminal);

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_OFFLINE_H_
