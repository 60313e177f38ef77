// Digests as people read them aloud: PGP words (Juola and Zimmermann, 1996) and
// grouped hexadecimal.
#ifndef HSM_BASE_WORDS_H_
#define HSM_BASE_WORDS_H_

#include <string>
#include <vector>

#include "hsm/base/bytes.h"

namespace base {

// PgpWords returns one word a byte, two-syllable words for even offsets and
// three-syllable words for odd ones, so that people hear when words are swapped or lost.
std::vector<std::string> PgpWords(ByteView bytes);

// GroupedHex returns lowercase digits in groups of four bytes: "0123abcd 4567...".
std::string GroupedHex(ByteView bytes);

}  // namespace base

#endif  // HSM_BASE_WORDS_H_
