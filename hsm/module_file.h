// CheckModuleFile looks at a module's file before the loader does: dlopen waits for ever on a pipe, and a shared
// object that was cut short ends the whole process (SIGBUS) instead of failing.
#ifndef HSM_MODULE_FILE_H_
#define HSM_MODULE_FILE_H_

#include <string>

#include "hsm/base/result.h"

namespace hsm {

// kNotFound: there is no such file. kUnsupported: it is no file, no shared object, or a part of one. Whether it is for
// this processor, and a PKCS#11 module, is left to the loader and to RealCryptoki::Load.
base::Result<void> CheckModuleFile(const std::string& path);

}  // namespace hsm

#endif  // HSM_MODULE_FILE_H_
