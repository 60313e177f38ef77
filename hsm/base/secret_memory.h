// Whether this process keeps secrets as it is promised of them (secret_bytes.h, HardenProcess).
#ifndef HSM_BASE_SECRET_MEMORY_H_
#define HSM_BASE_SECRET_MEMORY_H_

#include "hsm/base/result.h"

namespace base {

// CheckSecretMemory asks the kernel. kRefused SECRET-MEMORY-01 names what is missing: the process can be dumped, or
// memory for secrets, of which there is some from here on, or libcrypto's memory for private keys, was not locked or
// not left out of a dump, now or at any time before.
Result<void> CheckSecretMemory();

}  // namespace base

#endif  // HSM_BASE_SECRET_MEMORY_H_
