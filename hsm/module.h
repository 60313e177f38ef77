// Module is one loaded and initialised PKCS#11 module. Several can be loaded at
// once; tokens, and their sessions, keep theirs alive.
#ifndef HSM_MODULE_H_
#define HSM_MODULE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hsm/cryptoki.h"
#include "hsm/module_file.h"
#include "hsm/observer.h"
#include "hsm/quirks.h"

namespace hsm {

// ModuleOptions is what a binding says of a module.
struct ModuleOptions {
  std::string path;
  // Set with setenv before C_Initialize, and left set: modules read them late.
  std::map<std::string, std::string> environment;
  // Handed to C_Initialize as a string in pReserved (NSS wants
  // "configdir='sql:/path' ..."); empty: none.
  std::string init_args;
};

// ModuleInfo is what the module says of itself (C_GetInfo), blanks trimmed.
struct ModuleInfo {
  std::string path;
  std::string manufacturer;
  std::string description;
  std::string library_version;   // "2.6"
  std::string cryptoki_version;  // "2.40"
};

// TokenInfo describes one slot and its token, blanks trimmed.
struct TokenInfo {
  CK_SLOT_ID slot = 0;
  std::string slot_description;
  std::string label;
  std::string serial;
  std::string manufacturer;
  std::string model;
  std::string hardware_version;
  std::string firmware_version;
  CK_FLAGS flags = 0;
  CK_ULONG pin_min = 0;
  CK_ULONG pin_max = 0;

  bool initialised() const { return (flags & CKF_TOKEN_INITIALIZED) != 0; }
  bool protected_path() const { return (flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0; }
  // Name is how messages speak of it: `token "root" (serial 12ab)`.
  std::string Name() const;
};

class Module final : public std::enable_shared_from_this<Module> {
 public:
  // Load loads and initialises the shared object. Do it once in a process: a second Module of the same path shares its
  // state with the first, and loses it with the first (quorum::SharedModules keeps one for all). `observer` may be
  // null. A remoted module (p11-kit) writes to a socket; a program that uses one must ignore SIGPIPE before
  // (IgnoreBrokenPipes). kNotFound, kUnsupported: as RealCryptoki::Load. kRefused MODULE-INIT-01: other code in this
  // process has initialised it, so that environment and init_args could not take effect.
  static Result<std::shared_ptr<Module>> Load(const ModuleOptions& options, std::shared_ptr<CallObserver> observer);

  // Wrap does the same with a module that is loaded already: a fake, or a real one behind decorators. options.path is
  // then only its name.
  static Result<std::shared_ptr<Module>> Wrap(std::unique_ptr<CryptokiApi> api, const ModuleOptions& options,
                                              std::shared_ptr<CallObserver> observer);

  // Finalises, unless it was initialised by another; reports to the observer.
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // Reinitialise finalises and initialises again, so that what is read next
  // comes from the token and not from a cache. All sessions and handles are
  // dead after it; tokens must be located again, slot ids may differ.
  // kUnsupported when the module was initialised by another. kToken when the
  // module refuses, or says that it is initialised still: its cache is what it
  // was. It may be tried again.
  Result<void> Reinitialise();

  // ListTokens lists slots with a token, initialised or not. A slot whose
  // token cannot be read is left out and reported to the observer.
  Result<std::vector<TokenInfo>> ListTokens();
  // ListFreeSlots lists those whose token is not initialised.
  Result<std::vector<TokenInfo>> ListFreeSlots();
  // ReadToken reads one slot.
  Result<TokenInfo> ReadToken(CK_SLOT_ID slot);

  // FileSha256 digests the shared object on the disk, lowercase hex; once, then
  // kept. kToken when the file is not the one that was loaded any more.
  Result<std::string> FileSha256();

  const ModuleInfo& info() const { return info_; }
  const Quirks& quirks() const { return quirks_; }
  CryptokiApi& api() { return *api_; }
  CallObserver& observer() { return *observer_; }
  // Grows with each Reinitialise: handles of an older one are dead.
  std::uint64_t generation() const { return generation_; }
  bool initialised_by_us() const { return initialised_by_us_; }

 private:
  Module(std::unique_ptr<CryptokiApi> api, const ModuleOptions& options, std::shared_ptr<CallObserver> observer);
  Result<void> Initialise();
  Result<void> ReadInfo();

  std::unique_ptr<CryptokiApi> api_;
  ModuleOptions options_;
  std::shared_ptr<CallObserver> observer_;
  ModuleInfo info_;
  Quirks quirks_{};
  std::optional<FileStamp> loaded_file_;  // nothing: it came of no file
  std::string file_sha256_;
  std::uint64_t generation_ = 0;
  bool initialised_by_us_ = false;
};

// IgnoreBrokenPipes makes a write to a dead peer an error instead of the end of
// the process (SIGPIPE). Programs that use remoted tokens call it once.
void IgnoreBrokenPipes();

}  // namespace hsm

#endif  // HSM_MODULE_H_
