// KeptTokens keeps copies of what a rehearsal's tokens are, because SoftHSM does not.
//
// SoftHSM has label, serial, flags and PINs of a token in one small file, `token.object`, which it writes in place and
// never syncs, at each login too. A process that is killed within such a write leaves an empty file, and with it the
// token is gone, whatever it held. A real token has no such habit, so a rehearsal that ended there would rehearse
// nothing: it keeps a copy of each token file from the last call that was meant to change it, and puts it back when
// the file is torn. Objects are never kept and never put back. A C_InitToken that is cut off leaves a token that nobody
// can open or initialise again; what there is of it is removed. In production there is none of this.
#ifndef CEREMONY_RUN_KEPT_TOKENS_H_
#define CEREMONY_RUN_KEPT_TOKENS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "ceremony/run/rehearsal.h"
#include "hsm/base/bytes.h"
#include "hsm/base/result.h"
#include "hsm/observer.h"

namespace ceremony::run {

// IsWholeTokenFile tells whether these are all bytes of a `token.object` of SoftHSM 2: a generation, then attributes
// to the last byte, with label, serial, flags and security officer's PIN among them, that PIN not locked, and the
// user's PIN where the flags say that there is one.
bool IsWholeTokenFile(base::ByteView bytes);

// MendedToken is a token of a rehearsal whose file SoftHSM had torn, and whose copy was put back; or, where `sha256` is
// empty, one whose making was cut off, and which was removed.
struct MendedToken {
  std::string label;
  std::string serial;
  std::size_t torn_bytes;
  std::string torn_sha256;
  std::string sha256;  // of what was put back
};

class KeptTokens final {
 public:
  explicit KeptTokens(const RehearsalPaths& paths) : tokens_(paths.tokens), copies_(paths.folder + "/kept") {}

  // Keep copies each whole token file that differs from its copy; the copies are durable when it returns. kIo.
  base::Result<void> Keep() const;

  // PutBack puts the copy in place of each torn token file that has one, removes tokens whose making was cut off, and
  // then keeps what is whole. Call it before a module reads the files. kIo.
  base::Result<std::vector<MendedToken>> PutBack() const;

 private:
  std::string tokens_;
  std::string copies_;
};

// KeepTokens returns an observer that passes everything on to `inner` (may be null), and keeps the tokens after each
// call that is meant to change a token file: C_InitToken, C_InitPIN, C_SetPIN.
std::shared_ptr<hsm::CallObserver> KeepTokens(const KeptTokens& kept, std::shared_ptr<hsm::CallObserver> inner);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_KEPT_TOKENS_H_
