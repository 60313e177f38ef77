#include "ceremony/quorum/shared_modules.h"

#include <algorithm>
#include <utility>

namespace ceremony::quorum {

// Switch hands on to the observer of the ceremony, unless a card is in use.
class SharedModules::Switch final : public hsm::CallObserver {
 public:
  void Connect(std::shared_ptr<hsm::CallObserver> target) { target_ = std::move(target); }
  void Mute() { ++muted_; }
  void Unmute() { --muted_; }

  void Called(hsm::Function function, CK_RV rv, std::chrono::nanoseconds duration) override {
    if (hears()) target_->Called(function, rv, duration);
  }
  hsm::Result<void> Before(const hsm::ConsequentialCall& call) override {
    return hears() ? target_->Before(call) : hsm::Result<void>();
  }
  hsm::Result<void> After(const hsm::ConsequentialCall& call, const hsm::CallOutcome& outcome) override {
    return hears() ? target_->After(call, outcome) : hsm::Result<void>();
  }
  void Trouble(const hsm::Error& error) override {
    if (hears()) target_->Trouble(error);
  }
  std::uint64_t NextCallNumber() override {
    return hears() ? target_->NextCallNumber() : hsm::CallObserver::NextCallNumber();
  }

 private:
  bool hears() const { return muted_ == 0 && target_ != nullptr; }
  std::shared_ptr<hsm::CallObserver> target_;
  int muted_ = 0;
};

base::Result<std::shared_ptr<hsm::Module>> SharedModules::Find(const hsm::ModuleOptions& options,
                                                               std::shared_ptr<Switch>& observer) {
  std::erase_if(loaded_, [](const Loaded& each) { return each.module.expired(); });
  const auto known =
      std::ranges::find_if(loaded_, [&](const Loaded& each) { return each.options.path == options.path; });
  if (known != loaded_.end()) {
    if (known->options.environment != options.environment || known->options.init_args != options.init_args) {
      return base::Refusal("MODULE-INIT-01",
                           "module " + options.path + " is in use with another environment or other arguments",
                           "tokens of one module share one setting; a second one needs a copy of its file");
    }
    observer = known->observer;
    return known->module.lock();
  }
  observer = std::make_shared<Switch>();
  KC_ASSIGN_OR_RETURN(std::shared_ptr<hsm::Module> module, load_(options, observer));
  loaded_.push_back({options, module, observer});
  return module;
}

base::Result<std::shared_ptr<hsm::Module>> SharedModules::ForCeremony(const hsm::ModuleOptions& options,
                                                                      std::shared_ptr<hsm::CallObserver> observer) {
  std::shared_ptr<Switch> way;
  KC_ASSIGN_OR_RETURN(std::shared_ptr<hsm::Module> module, Find(options, way));
  if (observer) way->Connect(std::move(observer));
  return module;
}

base::Result<std::shared_ptr<hsm::Module>> SharedModules::ForCard(const hsm::ModuleOptions& options) {
  std::shared_ptr<Switch> way;
  KC_ASSIGN_OR_RETURN(std::shared_ptr<hsm::Module> module, Find(options, way));
  way->Mute();
  hsm::Module* const plain = module.get();
  // The use ends with the last copy of the pointer, which keeps the module alive.
  std::shared_ptr<void> use(nullptr, [module = std::move(module), way](void*) { way->Unmute(); });
  return std::shared_ptr<hsm::Module>(std::move(use), plain);
}

}  // namespace ceremony::quorum
