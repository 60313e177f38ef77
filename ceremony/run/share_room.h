// ShareRoom makes share sets, and opens tokens with them, among the people in the
// room. A PIN that it returns exists in SecretBytes only. Durable are the sealed
// shares, and their commitments in the record.
#ifndef CEREMONY_RUN_SHARE_ROOM_H_
#define CEREMONY_RUN_SHARE_ROOM_H_

#include <string>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/quorum/credential.h"
#include "ceremony/quorum/share_request.h"
#include "ceremony/quorum/share_set.h"
#include "ceremony/script/roster.h"
#include "ceremony/steps/step_context.h"
#include "hsm/base/result.h"
#include "hsm/base/secret_bytes.h"

namespace ceremony::run {

class Ceremony;

class ShareRoom final {
 public:
  explicit ShareRoom(Ceremony& ceremony) : ceremony_(ceremony) {}

  // NewPins returns new random PINs and the set that contains them: split, sealed,
  // and confirmed by every holder, who opened their share from the file. If a set
  // of this step was confirmed by all before the program ended, it is combined
  // again, since the token may have its PINs already. Any other set is abandoned,
  // and the record says so.
  // kNoQuorum: SHARE-ABSENT-01 a holder is not here; SHARE-CONFIRM-01 one
  // declined; QUORUM-SHARE-SHORT too few to combine.
  base::Result<steps::NewPins> NewPins(const std::string& token, const std::string& quorum, const std::string& step);

  // Combine asks m holders for their shares, and returns a PIN of the set that
  // opens the token now. A share that does not fit is named and recorded at once,
  // and the next holder is asked. QUORUM-SHARE-SHORT as above; SHARE-NONE-01: the
  // archive has no shares of this token.
  base::Result<base::SecretBytes> Combine(const std::string& token, quorum::Pin pin);

  // CheckHolders fails with SHARE-ABSENT-01, and names everyone who is missing, while somebody who is to confirm a new
  // share in this step is not here: so that nobody approves a step that cannot be done.
  base::Result<void> CheckHolders(const script::Step& step);

 private:
  base::Result<base::SecretBytes> CombineSet(const estate::ShareSet& set, quorum::Pin pin);
  base::Result<void> Contribute(const estate::ShareSet& set, const script::Person& person, quorum::Pin pin,
                                quorum::PinAssembly& assembly);
  base::Result<void> Confirm(const estate::ShareSet& set, const script::Person& person);
  // Open has a holder open their share: from the archive's file, or, where that is
  // not what the record says, from a copy of the holder's own.
  base::Result<std::vector<quorum::ShamirShare>> Open(const estate::ShareSet& set, const script::Person& person,
                                                      quorum::SharePurpose purpose, std::vector<quorum::Pin> pins);
  base::Result<std::vector<quorum::ShamirShare>> OpenFrom(const std::string& path, const estate::ShareSet& set,
                                                          const script::Person& person, quorum::SharePurpose purpose,
                                                          const std::vector<quorum::Pin>& pins);
  base::Result<script::LoadedFile> LoadShare(const std::string& path, const script::Person& person);
  base::Result<std::string> AskForCopy(const script::Person& person, const base::Error& why);
  base::Result<void> RecordDeclined(const estate::ShareSet& set, const script::Person& person,
                                    const std::string& reason);
  base::Result<void> RecordRefusal(const base::Error& why, const script::Person& person);
  base::Result<steps::NewPins> CombineConfirmed(const estate::ShareSet& set);
  base::Result<std::vector<const script::Person*>> HoldersHere(const script::Quorum& quorum, const std::string& token);
  base::Result<void> ConfirmAll(const estate::ShareSet& set, const std::vector<const script::Person*>& holders);
  base::Result<void> Publish(const quorum::NewShareSet& made, const std::string& step);
  const estate::ShareSet* FindSet(const std::string& token);

  Ceremony& ceremony_;
};

// ShareUseOf is one use of a share file by its holder, `request.share`. It fills in origin and mode. The record then
// tells of each refusal, and of a request that leaves the room and its answer. The ceremony must outlive it.
quorum::ShareUse ShareUseOf(Ceremony& ceremony, const script::Person& person, quorum::ShareRequest request);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_SHARE_ROOM_H_
