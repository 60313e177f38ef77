// Checks that this process protects secrets as secret_bytes.h and HardenProcess promise.
#ifndef HSM_BASE_SECRET_MEMORY_H_
#define HSM_BASE_SECRET_MEMORY_H_

#include "hsm/base/result.h"

namespace base {

// CheckSecretMemory asks the kernel. kRefused SECRET-MEMORY-01 names what is missing: the process can be dumped; or
// memory for secrets, or libcrypto's memory for private keys, was at any time not locked or not left out of dumps. It
// allocates some memory for secrets if there is none.
Result<void> CheckSecretMemory();

}  // namespace base

#endif  // HSM_BASE_SECRET_MEMORY_H_
