// SharedModules loads PKCS#11 modules once for a program in which the tokens of
// a ceremony and custodians' cards may hang on one module, because C_Initialize
// works once in a process.
//
// The ceremony's observer sees every call except those made for a card: a
// custodian's own card is not a token of the ceremony, and its calls do not
// belong into the record. One thread at a time.
#ifndef CEREMONY_QUORUM_SHARED_MODULES_H_
#define CEREMONY_QUORUM_SHARED_MODULES_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hsm/module.h"

namespace ceremony::quorum {

// LoadModule loads a module: hsm::Module::Load, or a fake for tests.
using LoadModule = std::function<base::Result<std::shared_ptr<hsm::Module>>(const hsm::ModuleOptions&,
                                                                            std::shared_ptr<hsm::CallObserver>)>;

class SharedModules final {
 public:
  explicit SharedModules(LoadModule load = hsm::Module::Load) : load_(std::move(load)) {}

  // ForCeremony loads a module, or returns the one that is in use for a card.
  // `observer` (may be null) hears of the calls from now on. MODULE-INIT-01: it is in use with another setting.
  base::Result<std::shared_ptr<hsm::Module>> ForCeremony(const hsm::ModuleOptions& options,
                                                         std::shared_ptr<hsm::CallObserver> observer);
  // ForCard is the same for one use of a card: as long as the pointer lives,
  // no observer hears of calls on this module.
  base::Result<std::shared_ptr<hsm::Module>> ForCard(const hsm::ModuleOptions& options);

 private:
  class Switch;
  struct Loaded {
    hsm::ModuleOptions options;
    std::weak_ptr<hsm::Module> module;
    std::shared_ptr<Switch> observer;
  };
  base::Result<std::shared_ptr<hsm::Module>> Find(const hsm::ModuleOptions& options, std::shared_ptr<Switch>& observer);

  LoadModule load_;
  std::vector<Loaded> loaded_;
};

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_SHARED_MODULES_H_
