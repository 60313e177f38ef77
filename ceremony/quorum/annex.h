// The sealed annex of a published bundle: what is withheld from the public, for
// one recipient who may see it.
//
//   a line of JCS JSON, LF, then AES-256-GCM of the archive: ciphertext and 16 bytes of tag
//   {"enc":"...","format":"keyceremony-annex/1","key":"...","origin":"...","recipient":"..."}
//
// `key` is the content key (32 random bytes, for this one archive), sealed with
// HPKE (hpke.h) to the recipient's open_key, info "keyceremony annex 1 <origin>".
// The nonce is twelve zeros, because the key is used once; the line without its
// LF is the additional data, so that nothing of it can be exchanged.
#ifndef CEREMONY_QUORUM_ANNEX_H_
#define CEREMONY_QUORUM_ANNEX_H_

#include <string>

#include "ceremony/quorum/agreement_key.h"
#include "ceremony/record/tar_archive.h"
#include "hsm/base/bytes.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"

namespace ceremony::quorum {

// The archive, and its head.
inline constexpr std::size_t kMaxAnnexBytes = record::kMaxArchiveBytes + (1u << 16);

// SealAnnex fails with kInvalidInput when the recipient's key is not P-256. RED-ANNEX-03: the archive is larger than
// record::kMaxArchiveBytes.
base::Result<std::string> SealAnnex(const std::string& origin, base::ByteView archive,
                                    const base::PublicKey& recipient);

// OpenAnnex refuses (RED-ANNEX-02) what is no annex, is of another record, is
// sealed to somebody else's key, or was changed.
base::Result<base::Bytes> OpenAnnex(const std::string& annex, const std::string& origin, AgreementKey& key);

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_ANNEX_H_
