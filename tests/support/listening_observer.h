// ListeningObserver keeps what it is told of PKCS#11 calls, and may veto them.
#ifndef TESTS_SUPPORT_LISTENING_OBSERVER_H_
#define TESTS_SUPPORT_LISTENING_OBSERVER_H_

#include <optional>
#include <string>
#include <vector>

#include "hsm/describe.h"
#include "hsm/inventory.h"
#include "hsm/observer.h"

namespace support {

class ListeningObserver final : public hsm::CallObserver {
 public:
  void Called(hsm::Function function, CK_RV rv, std::chrono::nanoseconds) override {
    calls.emplace_back(std::string(hsm::FunctionName(function)) + (rv == CKR_OK ? "" : " " + hsm::RvName(rv)));
  }
  base::Result<void> Before(const hsm::ConsequentialCall& call) override {
    before.push_back(call);
    if (veto) return *veto;
    if (take_inventories && call.session != nullptr) {
      auto inventory = hsm::TakeInventory(*call.session);
      if (!inventory.ok()) return std::move(inventory).error();
      inventories.push_back(std::move(inventory).value());
    }
    calls.emplace_back("before " + std::string(hsm::FunctionName(call.function)));
    return {};
  }
  base::Result<void> After(const hsm::ConsequentialCall& call, const hsm::CallOutcome& outcome) override {
    calls.emplace_back("after " + std::string(hsm::FunctionName(call.function)));
    after.push_back(outcome);
    if (take_inventories && call.session != nullptr) {
      auto inventory = hsm::TakeInventory(*call.session);
      if (!inventory.ok()) return std::move(inventory).error();
      inventories.push_back(std::move(inventory).value());
    }
    if (refuse_after) return *refuse_after;
    return {};
  }
  void Trouble(const base::Error& error) override { troubles.push_back(error.message); }

  std::optional<base::Error> veto;
  std::optional<base::Error> refuse_after;
  bool take_inventories = false;

  std::vector<std::string> calls;
  std::vector<hsm::ConsequentialCall> before;
  std::vector<hsm::CallOutcome> after;
  std::vector<hsm::Inventory> inventories;
  std::vector<std::string> troubles;
};

}  // namespace support

#endif  // TESTS_SUPPORT_LISTENING_OBSERVER_H_
