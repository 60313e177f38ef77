#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "hsm/cryptoki.h"
#include "hsm/faulty_cryptoki.h"
#include "tests/fault/trial.h"

// After each fault: the ceremony goes on to COMPLETE, with the right objects on
// both tokens and no secret in any file. A kill that leaves a record which
// `resume` cannot bring to its end fails here with the place of the kill.
namespace {

using fault::FailAfter;
using fault::FailStorage;
using fault::Fault;
using fault::How;
using fault::KillAfter;
using fault::KillBefore;
using fault::Outcome;
using fault::Stage;
using fault::StopAt;
using fault::Where;
using hsm::Function;

constexpr int kMostResumes = 3;

// What a token that fails may end a ceremony with.
const std::set<std::string> kOfTokens = {"token", "refused", "unsupported", "corrupt"};

const std::set<Function>& Consequential() {
  static const std::set<Function> names = {Function::kInitToken, Function::kInitPin, Function::kGenerateKeyPair,
                                           Function::kDestroyObject, Function::kSign};
  return names;
}

// Sweep is a stage whose ceremony has been played once without a fault.
struct Sweep {
  explicit Sweep(const std::string& name, fault::Script script = fault::Script::kRoot) : stage(name, script) {
    if (!stage.has_softhsm()) {
      std::fputs("SoftHSM is not installed\n", stderr);
      std::exit(77);
    }
    stage.Reset();
    clean = stage.Begin({});
    REQUIRE_MESSAGE(clean.done, clean.message);
    REQUIRE(clean.calls.size() > 70);
    REQUIRE(clean.storage_names.size() > 100);
    REQUIRE(clean.prompts > 10);
    REQUIRE(stage.Judge().empty());
  }
  Stage stage;
  Outcome clean;
};

void JudgeAll(const Stage& stage) {
  for (const std::string& wrong : stage.Judge()) FAIL_CHECK(wrong);
}

// A fault that did not strike shows nothing. `codes` are the error codes that it may be reported with.
void CheckStruck(const Outcome& hit, const Fault& fault, const std::set<std::string>& codes) {
  const bool kills = fault.how == How::kKillBefore || fault.how == How::kKillAfter;
  CHECK(hit.died == kills);
  if (hit.died) return;
  CHECK(hit.Reached(fault));
  if (!hit.done) CHECK_MESSAGE(codes.contains(hit.code), "the error has another code");
}

void Try(const Stage& stage, const Fault& fault, const std::set<std::string>& codes = {}) {
  INFO(fault.Name());
  stage.Reset();
  const Outcome hit = stage.Begin(fault);
  INFO("reported: ", hit.code, " ", hit.rule, " ", hit.message);
  CheckStruck(hit, fault, codes);
  if (!hit.done) {
    const Outcome after = stage.GoOn(kMostResumes);
    CHECK_MESSAGE(after.done, "resume: ", after.code, " ", after.rule, " ", after.message);
  }
  JudgeAll(stage);
}

// Each call that touches a PIN, in each way in which it may end.
void SweepPins(const Sweep& sweep, const std::set<Function>& touches) {
  std::size_t changes = 0;
  for (std::uint64_t i = 0; i < sweep.clean.calls.size(); ++i) {
    if (!touches.contains(sweep.clean.calls[i])) continue;
    if (sweep.clean.calls[i] == Function::kSetPin) ++changes;
    for (const Fault& fault : {KillBefore(i), KillAfter(i)}) Try(sweep.stage, fault);
    for (const Fault& fault : {fault::Fail(i), FailAfter(i)}) Try(sweep.stage, fault, kOfTokens);
  }
  CHECK(changes == 2);
}

void SweepPrompts(const Sweep& sweep) {
  for (std::uint64_t i = 0; i < sweep.clean.prompts; ++i) Try(sweep.stage, StopAt(i), {"aborted"});
}

// Kills before every `stride`-th storage call from `first` on.
void SweepStorage(const Sweep& sweep, std::uint64_t first, std::uint64_t stride) {
  for (std::uint64_t i = first; i < sweep.clean.storage_names.size(); i += stride)
    Try(sweep.stage, KillBefore(Where::kStorage, i));
}

}  // namespace

TEST_SUITE("kill-before") {
  TEST_CASE("killed before any PKCS#11 call, the ceremony is gone on with to the end") {
    const Sweep sweep("kill-before");
    const auto& [stage, clean] = sweep;
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) Try(stage, KillBefore(i));
  }
}

TEST_SUITE("kill-after") {
  TEST_CASE("killed after a call that changes a token, the ceremony is gone on with to the end") {
    const Sweep sweep("kill-after");
    const auto& [stage, clean] = sweep;
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
      if (Consequential().contains(clean.calls[i])) Try(stage, KillAfter(i));
    }
  }
}

TEST_SUITE("call-error") {
  TEST_CASE("a PKCS#11 call that fails stops the ceremony with its error, and it is gone on with to the end") {
    const Sweep sweep("call-error");
    const auto& [stage, clean] = sweep;
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
      const auto errors = hsm::PlausibleErrors(clean.calls[i]);
      // Each call with one of its errors; which one goes round from call to call.
      Try(stage, fault::Fail(i, errors[i % errors.size()]), kOfTokens);
      if (Consequential().contains(clean.calls[i])) {
        Try(stage, FailAfter(i), kOfTokens);
        Try(stage, {.where = Where::kCall, .how = How::kGone, .index = i, .rv = CKR_DEVICE_REMOVED}, kOfTokens);
      }
    }
  }
}

TEST_SUITE("strange") {
  TEST_CASE("lengths and counts that cannot be, at any call that gives some, end nothing for good") {
    const Sweep sweep("garbage");
    const auto& [stage, clean] = sweep;
    const std::set<Function> give = {Function::kGetSlotList, Function::kGetMechanismList, Function::kGetAttributeValue,
                                     Function::kFindObjects, Function::kSign};
    std::size_t tried = 0;
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
      if (!give.contains(clean.calls[i])) continue;
      ++tried;
      Try(stage, {.where = Where::kCall, .how = How::kGarbage, .index = i}, {"token", "corrupt", "refused"});
    }
    CHECK(tried > 50);
  }

  TEST_CASE("no PIN is tried on a token that would lock, and the ceremony goes on once that is mended") {
    const Sweep sweep("final-try");
    const auto& [stage, clean] = sweep;
    // Cut off where the token is opened for the last time: both tokens are in service by then.
    std::uint64_t login = 0;
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
      if (clean.calls[i] == Function::kLogin) login = i;
    }
    stage.Reset();
    REQUIRE(stage.Begin(KillBefore(login)).died);
    const std::string before = stage.Log();
    const Outcome refused = stage.Resume({.how = How::kFinalTry});
    CHECK_FALSE(refused.done);
    CHECK(refused.rule == "TOKEN-LOGIN-02");
    CHECK(std::ranges::count(refused.calls, Function::kLogin) == 0);
    CHECK(stage.Log().starts_with(before));
    const Outcome after = stage.GoOn(1);
    CHECK_MESSAGE(after.done, after.rule, " ", after.message);
    JudgeAll(stage);
  }
}

TEST_SUITE("storage-kill") {
  TEST_CASE("killed before any storage call, nothing is lost") { SweepStorage(Sweep("storage-kill"), 0, 1); }
}

TEST_SUITE("storage-error") {
  TEST_CASE("a storage call that fails or tears ends the ceremony with an i/o error and loses nothing") {
    const Sweep sweep("storage-error");
    const auto& [stage, clean] = sweep;
    constexpr std::array kErrors = {EIO, ENOSPC, EROFS};
    for (std::uint64_t i = 0; i < clean.storage_names.size(); ++i) {
      const bool append = clean.storage_names[i] == "append";
      Fault fault = FailStorage(i, kErrors[i % kErrors.size()]);
      if (append) fault.how = How::kTornWrite;
      Try(stage, fault, {"io"});
    }
  }
}

TEST_SUITE("prompt") {
  TEST_CASE("stopped or killed at any question, the ceremony is gone on with to the end") {
    const Sweep sweep("prompt");
    const auto& [stage, clean] = sweep;
    for (std::uint64_t i = 0; i < clean.prompts; ++i) {
      Try(stage, KillBefore(Where::kPrompt, i));
      Try(stage, StopAt(i), {"aborted"});
    }
  }
}

TEST_SUITE("reshare") {
  // Between the first C_SetPIN and the last confirmation either the old shares or the new ones open the token: whatever
  // is cut off there, the ceremony comes to its end with shares that open it.
  TEST_CASE("killed or failing at any call that touches a PIN, a token that is reshared still opens") {
    SweepPins(Sweep("reshare", fault::Script::kReshare),
              {Function::kSetPin, Function::kLogin, Function::kInitPin, Function::kInitToken});
  }
  TEST_CASE("stopped or killed at any question, and killed at any storage call, a token that is reshared still opens") {
    const Sweep sweep("reshare-room", fault::Script::kReshare);
    SweepPrompts(sweep);
    SweepStorage(sweep, 0, 3);
  }
}

TEST_SUITE("convert") {
  TEST_CASE("cut off anywhere, a token whose typed PINs are shared opens with the one or the other") {
    const Sweep sweep("convert", fault::Script::kConvert);
    SweepPins(sweep, {Function::kSetPin, Function::kLogin});
    SweepPrompts(sweep);
    SweepStorage(sweep, 0, 5);
  }
}

TEST_SUITE("life") {
  // From the clone to the certificate of destruction, at every third call that matters: no copy is lost, none is left,
  // and no object that the record does not name.
  TEST_CASE("killed or failing within cloning and destruction, a key still comes to its end on both tokens") {
    const Sweep sweep("life", fault::Script::kLife);
    const auto& [stage, clean] = sweep;
    const std::set<Function> matters = {Function::kUnwrapKey, Function::kCreateObject, Function::kDestroyObject,
                                        Function::kWrapKey,   Function::kDeriveKey,    Function::kSetAttributeValue,
                                        Function::kFinalize,  Function::kInitialize,   Function::kLogin};
    constexpr std::array kWays = {How::kKillBefore, How::kKillAfter, How::kFailInstead, How::kFailAfter};
    std::map<Function, std::size_t> seen;
    std::size_t tried = 0;
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
      if (!matters.contains(clean.calls[i])) continue;
      // Of each call the first, the fourth, ... occurrence, and each time in another way.
      const std::size_t occurrence = seen[clean.calls[i]]++;
      // C_SetAttributeValue seals one: what it has changed must not be taken for what a call has left.
      const bool of_a_copy = clean.calls[i] == Function::kUnwrapKey || clean.calls[i] == Function::kCreateObject ||
                             clean.calls[i] == Function::kSetAttributeValue;
      if (!of_a_copy && occurrence % 3 != 0) continue;
      const How how = kWays[tried++ % kWays.size()];
      const bool kills = how == How::kKillBefore || how == How::kKillAfter;
      Try(stage, {Where::kCall, how, i, kills ? 0 : CKR_DEVICE_ERROR, 0}, kOfTokens);
      if (of_a_copy) Try(stage, KillAfter(i), kOfTokens);
    }
    CHECK(seen[Function::kUnwrapKey] == 1);
    CHECK(seen[Function::kSetAttributeValue] == 1);
    CHECK(seen[Function::kDestroyObject] >= 8);
  }
  TEST_CASE("killed between two writes within cloning and destruction, nothing is lost") {
    const Sweep sweep("life-storage", fault::Script::kLife);
    SweepStorage(sweep, sweep.clean.storage_names.size() / 2, 29);
  }
}

TEST_SUITE("transfer") {
  // What key.transport, key.export, key.import and payload.sign do to a token or write: each making, wrapping and
  // destroying call, killed on one side of it and failing on the other, and every eleventh write in between.
  TEST_CASE("killed or failing while a key goes as a file, it comes whole, signs, and is gone with its transport key") {
    const Sweep sweep("transfer", fault::Script::kTransfer);
    const auto& [stage, clean] = sweep;
    const std::set<Function> carries = {Function::kWrapKey, Function::kUnwrapKey, Function::kCreateObject,
                                        Function::kDestroyObject};
    std::map<Function, std::size_t> seen;
    // The transport key is the last pair that is made.
    std::uint64_t first = clean.calls.size() - 1;
    while (first > 0 && clean.calls[first] != Function::kGenerateKeyPair) --first;
    for (std::uint64_t i = first; i < clean.calls.size(); ++i) {
      const Function call = clean.calls[i];
      const std::size_t occurrence = seen[call]++;
      if (i == first) {  // what is left of it must go
        Try(stage, KillAfter(i));
      } else if (carries.contains(call)) {
        if (occurrence % 2 == 0) Try(stage, KillAfter(i));
        if (occurrence % 2 == 1) Try(stage, FailAfter(i), kOfTokens);
      }
    }
    CHECK(seen[Function::kGenerateKeyPair] == 1);
    CHECK(seen[Function::kWrapKey] >= 2);
    CHECK(seen[Function::kUnwrapKey] >= 2);
    CHECK(seen[Function::kDestroyObject] >= 8);
  }
  TEST_CASE("killed between two writes while a key goes as a file, nothing is lost") {
    const Sweep sweep("transfer-storage", fault::Script::kTransfer);
    SweepStorage(sweep, sweep.clean.storage_names.size() / 3, 61);
  }
}

TEST_SUITE("call-off") {
  // The root key cannot be made, and the ceremony is called off. Cut off anywhere within that, it is called off again,
  // and in the end the record is whole, nothing is on the token, and the archive takes the next ceremony.
  TEST_CASE("killed or failing anywhere while a ceremony is called off, it is called off in the end") {
    const Sweep sweep("call-off");
    const Stage& stage = sweep.stage;
    const Outcome& clean = sweep.clean;
    const auto last = std::ranges::find(clean.calls.rbegin(), clean.calls.rend(), Function::kGenerateKeyPair);
    const auto root_key = static_cast<std::uint64_t>(clean.calls.rend() - last) - 1;
    const auto stop = [&] {
      stage.Reset();
      const Outcome stopped = stage.Begin(fault::Fail(root_key));
      REQUIRE(stopped.code == "token");
    };
    stop();
    const Outcome whole = stage.CallOff({});
    REQUIRE_MESSAGE(whole.done, whole.message);
    REQUIRE(stage.Judge(0).empty());
    REQUIRE(stage.Log().find("\"called_off\"") != std::string::npos);
    REQUIRE(whole.calls.size() > 20);
    REQUIRE(whole.storage_names.size() > 20);
    REQUIRE(whole.prompts > 4);
    const auto try_one = [&](const Fault& fault, const std::set<std::string>& codes) {
      INFO(fault.Name());
      stop();
      Outcome hit = stage.CallOff(fault);
      INFO("reported: ", hit.code, " ", hit.rule, " ", hit.message);
      if (!hit.done && !hit.died) CHECK(codes.contains(hit.code));
      for (int i = 0; i < kMostResumes && !hit.done; ++i) hit = stage.CallOff({});
      CHECK_MESSAGE(hit.done, "again: ", hit.code, " ", hit.rule, " ", hit.message);
      for (const std::string& each : stage.Judge(0)) FAIL_CHECK(each);
    };
    for (std::uint64_t i = 0; i < whole.calls.size(); ++i) {
      const How how = i % 2 == 0 || whole.calls[i] == Function::kDestroyObject ? How::kKillBefore : How::kFailInstead;
      try_one({Where::kCall, how, i, how == How::kKillBefore ? 0 : CKR_DEVICE_ERROR, 0}, kOfTokens);
    }
    for (std::uint64_t i = 0; i < whole.storage_names.size(); ++i) {
      const How how = i % 2 == 0 ? How::kKillBefore : How::kFailInstead;
      try_one({Where::kStorage, how, i, 0, how == How::kKillBefore ? 0 : EIO}, {"io"});
    }
    for (std::uint64_t i = 0; i < whole.prompts; ++i) try_one(StopAt(i), {"aborted"});
  }

  // The token has one new PIN or both, and the archive still has the old shares.
  TEST_CASE("a reshare that has begun to change PINs is not called off, and is gone on with to its end") {
    const Sweep sweep("call-off-reshare", fault::Script::kConvert);
    const Stage& stage = sweep.stage;
    std::size_t changes = 0;
    for (std::uint64_t i = 0; i < sweep.clean.calls.size(); ++i) {
      if (sweep.clean.calls[i] != Function::kSetPin) continue;
      ++changes;
      for (const Fault& fault : {KillAfter(i), FailAfter(i)}) {
        INFO(fault.Name());
        stage.Reset();
        CHECK_FALSE(stage.Begin(fault).done);
        CHECK(stage.CallOff({}).rule == "CALL-OFF-03");
        const Outcome after = stage.GoOn(1);
        CHECK_MESSAGE(after.done, after.code, " ", after.rule, " ", after.message);
        JudgeAll(stage);
      }
    }
    CHECK(changes == 2);
  }
  TEST_CASE("a token that was given its PINs when the ceremony was called off is an open item of it") {
    const Sweep sweep("call-off-commission");
    const Stage& stage = sweep.stage;
    const auto set_pin = std::ranges::find(sweep.clean.calls, Function::kInitPin) - sweep.clean.calls.begin();
    stage.Reset();
    REQUIRE(stage.Begin(KillAfter(static_cast<std::uint64_t>(set_pin))).died);
    const Outcome off = stage.CallOff({});
    CHECK_MESSAGE(off.done, off.code, " ", off.rule, " ", off.message);
    for (const std::string& wrong : stage.Judge(0)) {
      // Only the shares of the set that the item names open it.
      if (!wrong.starts_with("token root-hsm: ")) FAIL_CHECK(wrong);
    }
    const std::string log = stage.Log();
    const std::string close = log.substr(log.rfind("\"called_off\""));
    CHECK(close.find("\"set\":\"") != std::string::npos);
    CHECK(close.find("\"fn\":\"C_InitToken\"") != std::string::npos);
    CHECK(close.find("\"fn\":\"C_InitPIN\"") != std::string::npos);
  }
}

TEST_SUITE("leave-behind") {
  // A ceremony was stopped before it touched its token, and its record token is lost. Cut off anywhere while the next
  // one leaves it behind, that is done in the end, and the record that was left is what it was.
  TEST_CASE("killed or failing anywhere while a record is left behind, it is left behind in the end") {
    const Sweep sweep("leave-behind");
    const Stage& stage = sweep.stage;
    const auto stop = [&] {
      stage.Reset();
      constexpr std::uint64_t kAfterOpening = 12;
      REQUIRE(stage.Begin(StopAt(kAfterOpening)).code == "aborted");
      REQUIRE(stage.Log().find("\"type\":\"checkpoint\"") != std::string::npos);
      stage.LoseRecordToken();
    };
    stop();
    const Outcome whole = stage.LeaveBehind({});
    REQUIRE_MESSAGE(whole.done, whole.message);
    REQUIRE(stage.Judge().empty());
    REQUIRE(stage.Log().find("\"left_behind\":{") != std::string::npos);
    const auto try_one = [&](const Fault& fault, const std::set<std::string>& codes) {
      INFO(fault.Name());
      stop();
      const std::string before = stage.Log();
      const std::string record = stage.NewestRecord();
      const Outcome hit = stage.LeaveBehind(fault);
      INFO("reported: ", hit.code, " ", hit.rule, " ", hit.message);
      CHECK(hit.died == (fault.how == How::kKillBefore));
      if (!hit.done && !hit.died) CHECK(codes.contains(hit.code));
      const Outcome after = stage.GoOn(kMostResumes);
      CHECK_MESSAGE(after.done, "again: ", after.code, " ", after.rule, " ", after.message);
      for (const std::string& each : stage.Judge()) FAIL_CHECK(each);
      CHECK(stage.Log(record) == before);
      CHECK(stage.Log().find("\"left_behind\":{") != std::string::npos);
    };
    // Until the quorum has signed what was left: the ceremony that follows is like any other.
    const auto first_approval = std::ranges::find(whole.calls, Function::kSign);
    const auto calls = static_cast<std::uint64_t>(first_approval - whole.calls.begin()) + 1;
    for (std::uint64_t i = 0; i < calls; ++i) {
      const How how = i % 2 == 0 ? How::kKillBefore : How::kFailInstead;
      try_one({Where::kCall, how, i, how == How::kKillBefore ? 0 : CKR_DEVICE_ERROR, 0}, kOfTokens);
    }
    constexpr std::uint64_t kStorageCalls = 60;
    for (std::uint64_t i = 0; i < kStorageCalls; ++i) {
      const How how = i % 2 == 0 ? How::kKillBefore : How::kFailInstead;
      try_one({Where::kStorage, how, i, 0, how == How::kKillBefore ? 0 : EIO}, {"io"});
    }
    constexpr std::uint64_t kPrompts = 14;
    for (std::uint64_t i = 0; i < kPrompts; ++i) try_one(StopAt(i), {"aborted"});
  }
}

TEST_SUITE("clock") {
  TEST_CASE("a clock that goes back by an hour is a deviation in the record, wherever it happens") {
    const Sweep sweep("clock");
    const auto& [stage, clean] = sweep;
    CHECK(stage.Log().find("CLOCK-STEP-01") == std::string::npos);
    REQUIRE(clean.clock_readings > 50);
    for (std::uint64_t i = 5; i < clean.clock_readings; i += 7) {
      Try(stage, {.where = Where::kClock, .index = i}, {"refused"});
      // After the last entry there is none left to say it.
      if (i + 10 < clean.clock_readings)
        CHECK_MESSAGE(stage.Log().find("CLOCK-STEP-01") != std::string::npos, "at reading ", i);
    }
  }
}

TEST_SUITE("hierarchy") {
  // What the root ceremony does not have: a second key, an issuer that is read back from the archive, a serial number
  // that is drawn without a login. A sample of all calls, and every one that makes or signs something.
  TEST_CASE(
      "cut off or failing within a hierarchy, it comes to its end with the certificates that people have approved") {
    const Sweep sweep("hierarchy", fault::Script::kHierarchy);
    const auto& [stage, clean] = sweep;
    const std::set<Function> makes = {Function::kGenerateKeyPair, Function::kSign, Function::kGenerateRandom};
    std::size_t signatures = 0;
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
      if (clean.calls[i] == Function::kSign) ++signatures;
      if (!makes.contains(clean.calls[i])) {
        if (i % 9 == 4) Try(stage, KillBefore(i));
        continue;
      }
      if (i % 2 == 0) Try(stage, KillAfter(i));
      if (i % 2 == 1) Try(stage, FailAfter(i), kOfTokens);
    }
    CHECK(signatures > 10);  // two certificates, and a checkpoint for every step and approval
    SweepStorage(sweep, 3, 8);
  }
}
