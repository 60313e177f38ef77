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

using fault::Fault;
using fault::How;
using fault::Outcome;
using fault::Stage;
using fault::Where;

constexpr int kMostResumes = 3;

// What a token that fails may end a ceremony with.
const std::set<std::string> kOfTokens = {"token", "refused", "unsupported", "corrupt"};

const std::set<std::string>& Consequential() {
  static const std::set<std::string> names = {"C_InitToken", "C_InitPIN", "C_GenerateKeyPair", "C_DestroyObject",
                                              "C_Sign"};
  return names;
}

void NeedSoftHsm(const Stage& stage) {
  if (stage.has_softhsm()) return;
  std::fputs("SoftHSM is not installed\n", stderr);
  std::exit(77);
}

Outcome CleanRun(const Stage& stage) {
  stage.Reset();
  Outcome clean = stage.Begin({});
  REQUIRE_MESSAGE(clean.done, clean.message);
  REQUIRE(clean.calls.size() > 70);
  REQUIRE(clean.storage_calls > 100);
  REQUIRE(clean.prompts > 10);
  REQUIRE(stage.Judge().empty());
  return clean;
}

// Tries one fault. `codes` are the error codes that it may be reported with.
void Try(const Stage& stage, const Fault& fault, const std::set<std::string>& codes) {
  INFO(fault.Name());
  stage.Reset();
  const Outcome hit = stage.Begin(fault);
  INFO("reported: ", hit.code, " ", hit.rule, " ", hit.message);
  if (!hit.done) {
    if (!hit.died) CHECK_MESSAGE(codes.contains(hit.code), "the error has another code");
    const Outcome after = stage.GoOn(kMostResumes);
    CHECK_MESSAGE(after.done, "resume: ", after.code, " ", after.rule, " ", after.message);
  }
  const std::vector<std::string> wrong = stage.Judge();
  for (const std::string& each : wrong) FAIL_CHECK(each);
}

}  // namespace

TEST_SUITE("kill-before") {
  TEST_CASE("killed before any PKCS#11 call, the ceremony is gone on with to the end") {
    const Stage stage("kill-before");
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) Try(stage, {Where::kCall, How::kKillBefore, i, 0, 0}, {});
  }
}

TEST_SUITE("kill-after") {
  TEST_CASE("killed after a call that changes a token, the ceremony is gone on with to the end") {
    const Stage stage("kill-after");
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
      if (Consequential().contains(clean.calls[i])) Try(stage, {Where::kCall, How::kKillAfter, i, 0, 0}, {});
    }
  }
}

TEST_SUITE("call-error") {
  TEST_CASE("a PKCS#11 call that fails stops the ceremony with its error, and it is gone on with to the end") {
    const Stage stage("call-error");
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
      const auto errors = hsm::PlausibleErrors(static_cast<hsm::Function>(clean.functions[i]));
      // Each call with one of its errors; which one goes round from call to call.
      Try(stage, {Where::kCall, How::kFailInstead, i, errors[i % errors.size()], 0}, kOfTokens);
      if (Consequential().contains(clean.calls[i])) {
        Try(stage, {Where::kCall, How::kFailAfter, i, CKR_DEVICE_ERROR, 0}, kOfTokens);
        Try(stage, {Where::kCall, How::kGone, i, CKR_DEVICE_REMOVED, 0}, kOfTokens);
      }
    }
  }
}

TEST_SUITE("strange") {
  TEST_CASE("lengths and counts that cannot be, at any call that gives some, end nothing for good") {
    const Stage stage("garbage");
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    const std::set<std::string> give = {"C_GetSlotList", "C_GetMechanismList", "C_GetAttributeValue", "C_FindObjects",
                                        "C_Sign"};
    std::size_t tried = 0;
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
      if (!give.contains(clean.calls[i])) continue;
      ++tried;
      Try(stage, {Where::kCall, How::kGarbage, i, 0, 0}, {"token", "corrupt", "refused"});
    }
    CHECK(tried > 50);
  }

  TEST_CASE("no PIN is tried on a token that would lock, and the ceremony goes on once that is mended") {
    const Stage stage("final-try");
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    // Cut off where the token is opened for the last time: both tokens are in service by then.
    std::uint64_t login = 0;
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
      if (clean.calls[i] == "C_Login") login = i;
    }
    stage.Reset();
    REQUIRE(stage.Begin({Where::kCall, How::kKillBefore, login, 0, 0}).died);
    const std::string before = stage.Log();
    const Outcome refused = stage.Resume({Where::kNowhere, How::kFinalTry, 0, 0, 0});
    CHECK_FALSE(refused.done);
    CHECK(refused.rule == "TOKEN-LOGIN-02");
    CHECK(std::ranges::count(refused.calls, "C_Login") == 0);
    CHECK(stage.Log().starts_with(before));
    const Outcome after = stage.GoOn(1);
    CHECK_MESSAGE(after.done, after.rule, " ", after.message);
    for (const std::string& wrong : stage.Judge()) FAIL_CHECK(wrong);
  }
}

TEST_SUITE("storage-kill") {
  TEST_CASE("killed before any storage call, nothing is lost") {
    const Stage stage("storage-kill");
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    for (std::uint64_t i = 0; i < clean.storage_calls; ++i)
      Try(stage, {Where::kStorage, How::kKillBefore, i, 0, 0}, {});
  }
}

TEST_SUITE("storage-error") {
  TEST_CASE("a storage call that fails or tears ends the ceremony with an i/o error and loses nothing") {
    const Stage stage("storage-error");
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    constexpr std::array kErrors = {EIO, ENOSPC, EROFS};
    for (std::uint64_t i = 0; i < clean.storage_calls; ++i) {
      const bool append = clean.storage_names[i] == "append";
      Try(stage, {Where::kStorage, append ? How::kTornWrite : How::kFailInstead, i, 0, kErrors[i % kErrors.size()]},
          {"io"});
    }
  }
}

TEST_SUITE("prompt") {
  TEST_CASE("stopped or killed at any question, the ceremony is gone on with to the end") {
    const Stage stage("prompt");
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    for (std::uint64_t i = 0; i < clean.prompts; ++i) {
      Try(stage, {Where::kPrompt, How::kKillBefore, i, 0, 0}, {});
      Try(stage, {Where::kPrompt, How::kFailInstead, i, 0, 0}, {"aborted"});
    }
  }
}

TEST_SUITE("reshare") {
  // Between the first C_SetPIN and the last confirmation either the old shares or the new ones open the token: whatever
  // is cut off there, the ceremony comes to its end with shares that open it.
  TEST_CASE("killed or failing at any call that touches a PIN, a token that is reshared still opens") {
    const Stage stage("reshare", fault::Script::kReshare);
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    const std::set<std::string> touches = {"C_SetPIN", "C_Login", "C_InitPIN", "C_InitToken"};
    std::size_t changes = 0;
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
      if (!touches.contains(clean.calls[i])) continue;
      if (clean.calls[i] == "C_SetPIN") ++changes;
      Try(stage, {Where::kCall, How::kKillBefore, i, 0, 0}, {});
      Try(stage, {Where::kCall, How::kKillAfter, i, 0, 0}, {});
      Try(stage, {Where::kCall, How::kFailInstead, i, CKR_DEVICE_ERROR, 0}, kOfTokens);
      Try(stage, {Where::kCall, How::kFailAfter, i, CKR_DEVICE_ERROR, 0}, kOfTokens);
    }
    CHECK(changes == 2);
  }
  TEST_CASE("stopped or killed at any question, and killed at any storage call, a token that is reshared still opens") {
    const Stage stage("reshare-room", fault::Script::kReshare);
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    for (std::uint64_t i = 0; i < clean.prompts; ++i)
      Try(stage, {Where::kPrompt, How::kFailInstead, i, 0, 0}, {"aborted"});
    for (std::uint64_t i = 0; i < clean.storage_calls; i += 3)
      Try(stage, {Where::kStorage, How::kKillBefore, i, 0, 0}, {});
  }
}

TEST_SUITE("convert") {
  TEST_CASE("cut off anywhere, a token whose typed PINs are shared opens with the one or the other") {
    const Stage stage("convert", fault::Script::kConvert);
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    const std::set<std::string> touches = {"C_SetPIN", "C_Login"};
    std::size_t changes = 0;
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
      if (!touches.contains(clean.calls[i])) continue;
      if (clean.calls[i] == "C_SetPIN") ++changes;
      Try(stage, {Where::kCall, How::kKillBefore, i, 0, 0}, {});
      Try(stage, {Where::kCall, How::kKillAfter, i, 0, 0}, {});
      Try(stage, {Where::kCall, How::kFailInstead, i, CKR_DEVICE_ERROR, 0}, kOfTokens);
      Try(stage, {Where::kCall, How::kFailAfter, i, CKR_DEVICE_ERROR, 0}, kOfTokens);
    }
    CHECK(changes == 2);
    for (std::uint64_t i = 0; i < clean.prompts; ++i)
      Try(stage, {Where::kPrompt, How::kFailInstead, i, 0, 0}, {"aborted"});
    for (std::uint64_t i = 0; i < clean.storage_calls; i += 5)
      Try(stage, {Where::kStorage, How::kKillBefore, i, 0, 0}, {});
  }
}

TEST_SUITE("life") {
  // From the clone to the certificate of destruction, at every third call that matters: no copy is lost, none is left,
  // and no object that the record does not name.
  TEST_CASE("killed or failing within cloning and destruction, a key still comes to its end on both tokens") {
    const Stage stage("life", fault::Script::kLife);
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    const std::set<std::string> matters = {"C_UnwrapKey", "C_CreateObject", "C_DestroyObject",
                                           "C_WrapKey",   "C_DeriveKey",    "C_SetAttributeValue",
                                           "C_Finalize",  "C_Initialize",   "C_Login"};
    constexpr std::array kWays = {How::kKillBefore, How::kKillAfter, How::kFailInstead, How::kFailAfter};
    std::map<std::string, std::size_t> seen;
    std::size_t tried = 0;
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
      if (!matters.contains(clean.calls[i])) continue;
      // Of each call the first, the fourth, ... occurrence, and each time in another way.
      const std::size_t occurrence = seen[clean.calls[i]]++;
      // C_SetAttributeValue seals one: what it has changed must not be taken for what a call has left.
      const bool of_a_copy = clean.calls[i] == "C_UnwrapKey" || clean.calls[i] == "C_CreateObject" ||
                             clean.calls[i] == "C_SetAttributeValue";
      if (!of_a_copy && occurrence % 3 != 0) continue;
      const How how = kWays[tried++ % kWays.size()];
      const bool kills = how == How::kKillBefore || how == How::kKillAfter;
      Try(stage, {Where::kCall, how, i, kills ? 0 : CKR_DEVICE_ERROR, 0}, kOfTokens);
      if (of_a_copy) Try(stage, {Where::kCall, How::kKillAfter, i, 0, 0}, kOfTokens);
    }
    CHECK(seen["C_UnwrapKey"] == 1);
    CHECK(seen["C_SetAttributeValue"] == 1);
    CHECK(seen["C_DestroyObject"] >= 8);
  }
  TEST_CASE("killed between two writes within cloning and destruction, nothing is lost") {
    const Stage stage("life-storage", fault::Script::kLife);
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    for (std::uint64_t i = clean.storage_calls / 2; i < clean.storage_calls; i += 29)
      Try(stage, {Where::kStorage, How::kKillBefore, i, 0, 0}, {});
  }
}

TEST_SUITE("transfer") {
  // What key.transport, key.export, key.import and payload.sign do to a token or write: each making, wrapping and
  // destroying call, killed on one side of it and failing on the other, and every eleventh write in between.
  TEST_CASE("killed or failing while a key goes as a file, it comes whole, signs, and is gone with its transport key") {
    const Stage stage("transfer", fault::Script::kTransfer);
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    const std::set<std::string> carries = {"C_WrapKey", "C_UnwrapKey", "C_CreateObject", "C_DestroyObject"};
    std::map<std::string, std::size_t> seen;
    // The transport key is the last pair that is made.
    std::uint64_t first = clean.calls.size() - 1;
    while (first > 0 && clean.calls[first] != "C_GenerateKeyPair") --first;
    for (std::uint64_t i = first; i < clean.calls.size(); ++i) {
      const std::string& call = clean.calls[i];
      const std::size_t occurrence = seen[call]++;
      if (i == first) {  // what is left of it must go
        Try(stage, {Where::kCall, How::kKillAfter, i, 0, 0}, {});
      } else if (carries.contains(call)) {
        if (occurrence % 2 == 0) Try(stage, {Where::kCall, How::kKillAfter, i, 0, 0}, {});
        if (occurrence % 2 == 1) Try(stage, {Where::kCall, How::kFailAfter, i, CKR_DEVICE_ERROR, 0}, kOfTokens);
      }
    }
    CHECK(seen["C_GenerateKeyPair"] == 1);
    CHECK(seen["C_WrapKey"] >= 2);
    CHECK(seen["C_UnwrapKey"] >= 2);
    CHECK(seen["C_DestroyObject"] >= 8);
  }
  TEST_CASE("killed between two writes while a key goes as a file, nothing is lost") {
    const Stage stage("transfer-storage", fault::Script::kTransfer);
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    for (std::uint64_t i = clean.storage_calls / 3; i < clean.storage_calls; i += 61)
      Try(stage, {Where::kStorage, How::kKillBefore, i, 0, 0}, {});
  }
}

TEST_SUITE("call-off") {
  // The root key cannot be made, and the ceremony is called off. Cut off anywhere within that, it is called off again,
  // and in the end the record is whole, nothing is on the token, and the archive takes the next ceremony.
  TEST_CASE("killed or failing anywhere while a ceremony is called off, it is called off in the end") {
    const Stage stage("call-off");
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    const auto last = std::ranges::find(clean.calls.rbegin(), clean.calls.rend(), "C_GenerateKeyPair");
    const auto root_key = static_cast<std::uint64_t>(clean.calls.rend() - last) - 1;
    const auto stop = [&] {
      stage.Reset();
      const Outcome stopped = stage.Begin({Where::kCall, How::kFailInstead, root_key, CKR_DEVICE_ERROR, 0});
      REQUIRE(stopped.code == "token");
    };
    stop();
    const Outcome whole = stage.CallOff({});
    REQUIRE_MESSAGE(whole.done, whole.message);
    REQUIRE(stage.Judge(0).empty());
    REQUIRE(stage.Log().find("\"called_off\"") != std::string::npos);
    REQUIRE(whole.calls.size() > 20);
    REQUIRE(whole.storage_calls > 20);
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
      const How how = i % 2 == 0 || whole.calls[i] == "C_DestroyObject" ? How::kKillBefore : How::kFailInstead;
      try_one({Where::kCall, how, i, how == How::kKillBefore ? 0 : CKR_DEVICE_ERROR, 0}, kOfTokens);
    }
    for (std::uint64_t i = 0; i < whole.storage_calls; ++i) {
      const How how = i % 2 == 0 ? How::kKillBefore : How::kFailInstead;
      try_one({Where::kStorage, how, i, 0, how == How::kKillBefore ? 0 : EIO}, {"io"});
    }
    for (std::uint64_t i = 0; i < whole.prompts; ++i)
      try_one({Where::kPrompt, How::kFailInstead, i, 0, 0}, {"aborted"});
  }
}

TEST_SUITE("leave-behind") {
  // A ceremony was stopped before it touched its token, and its record token is lost. Cut off anywhere while the next
  // one leaves it behind, that is done in the end, and the record that was left is what it was.
  TEST_CASE("killed or failing anywhere while a record is left behind, it is left behind in the end") {
    const Stage stage("leave-behind");
    NeedSoftHsm(stage);
    CleanRun(stage);
    const auto stop = [&] {
      stage.Reset();
      constexpr std::uint64_t kAfterOpening = 12;
      REQUIRE(stage.Begin({Where::kPrompt, How::kFailInstead, kAfterOpening, 0, 0}).code == "aborted");
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
    const auto first_approval = std::ranges::find(whole.calls, "C_Sign");
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
    for (std::uint64_t i = 0; i < kPrompts; ++i) try_one({Where::kPrompt, How::kFailInstead, i, 0, 0}, {"aborted"});
  }
}

TEST_SUITE("clock") {
  TEST_CASE("a clock that goes back by an hour is a deviation in the record, wherever it happens") {
    const Stage stage("clock");
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    CHECK(stage.Log().find("CLOCK-STEP-01") == std::string::npos);
    REQUIRE(clean.clock_readings > 50);
    for (std::uint64_t i = 5; i < clean.clock_readings; i += 7) {
      Try(stage, {Where::kClock, How::kFailInstead, i, 0, 0}, {"refused"});
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
    const Stage stage("hierarchy", fault::Script::kHierarchy);
    NeedSoftHsm(stage);
    const Outcome clean = CleanRun(stage);
    const std::set<std::string> makes = {"C_GenerateKeyPair", "C_Sign", "C_GenerateRandom"};
    std::size_t signatures = 0;
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
      if (clean.calls[i] == "C_Sign") ++signatures;
      if (!makes.contains(clean.calls[i])) {
        if (i % 9 == 4) Try(stage, {Where::kCall, How::kKillBefore, i, 0, 0}, {});
        continue;
      }
      if (i % 2 == 0) Try(stage, {Where::kCall, How::kKillAfter, i, 0, 0}, {});
      if (i % 2 == 1) Try(stage, {Where::kCall, How::kFailAfter, i, CKR_DEVICE_ERROR, 0}, kOfTokens);
    }
    CHECK(signatures > 10);  // two certificates, and a checkpoint for every step and approval
    for (std::uint64_t i = 3; i < clean.storage_calls; i += 8)
      Try(stage, {Where::kStorage, How::kKillBefore, i, 0, 0}, {});
  }
}
