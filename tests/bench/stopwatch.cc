// A library for LD_PRELOAD that times every PKCS#11 call of a program, and every fsync and fdatasync (stopwatch.h).
#include "tests/bench/stopwatch.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <string_view>

#include "hsm/cryptoki.h"

namespace {

using Clock = std::chrono::steady_clock;

std::mutex watch;
Inside inside;
thread_local bool is_in_token = false;

double Since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

int TimedSync(long number, int descriptor) {
  const auto start = Clock::now();
  const long result = syscall(number, descriptor);
  const double took = Since(start);
  if (is_in_token) return static_cast<int>(result);
  const std::lock_guard lock(watch);
  inside.sync_ms += took;
  if (gettid() != getpid()) inside.aside_ms += took;
  ++inside.syncs;
  return static_cast<int>(result);
}

CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST timed;

template <auto kMember>
struct Timed;

template <typename... Arguments, CK_RV (*CK_FUNCTION_LIST::*kMember)(Arguments...)>
struct Timed<kMember> {
  static CK_RV Call(Arguments... arguments) {
    is_in_token = true;
    const auto start = Clock::now();
    const CK_RV rv = (real->*kMember)(arguments...);
    const double took = Since(start);
    is_in_token = false;
    const std::lock_guard lock(watch);
    inside.pkcs11_ms += took;
    ++inside.calls;
    return rv;
  }
};

template <auto... kMembers>
void TimeThese() {
  ((timed.*kMembers = Timed<kMembers>::Call), ...);
}

using GetFunctionList = CK_RV (*)(CK_FUNCTION_LIST**);
GetFunctionList real_get_list = nullptr;

// Every call that hsm::RealCryptoki makes.
CK_RV GetTimedList(CK_FUNCTION_LIST** list) {
  using List = CK_FUNCTION_LIST;
  if (const CK_RV rv = real_get_list(&real); rv != CKR_OK) return rv;
  timed = *real;
  TimeThese<&List::C_Initialize, &List::C_Finalize, &List::C_GetInfo, &List::C_GetSlotList, &List::C_GetSlotInfo,
            &List::C_GetTokenInfo, &List::C_GetMechanismList, &List::C_GetMechanismInfo, &List::C_InitToken,
            &List::C_InitPIN, &List::C_SetPIN, &List::C_OpenSession, &List::C_CloseSession, &List::C_GetSessionInfo,
            &List::C_Login, &List::C_Logout, &List::C_CreateObject, &List::C_DestroyObject, &List::C_GetAttributeValue,
            &List::C_SetAttributeValue, &List::C_FindObjectsInit, &List::C_FindObjects, &List::C_FindObjectsFinal,
            &List::C_SignInit, &List::C_Sign, &List::C_GenerateKey, &List::C_GenerateKeyPair, &List::C_WrapKey,
            &List::C_UnwrapKey, &List::C_DeriveKey, &List::C_GenerateRandom>();
  *list = &timed;
  return CKR_OK;
}

__attribute__((destructor)) void Tell() {
  const char* descriptor = std::getenv(kStopwatchDescriptor);
  if (descriptor == nullptr) return;
  // A short write is a short read for who asked, who says so.
  [[maybe_unused]] const ssize_t put = write(std::atoi(descriptor), &inside, sizeof inside);
}

}  // namespace

// These stand before the C library's own for the whole program.
extern "C" {

int fdatasync(int descriptor) { return TimedSync(SYS_fdatasync, descriptor); }
int fsync(int descriptor) { return TimedSync(SYS_fsync, descriptor); }

void* dlsym(void* library, const char* name) {
  using Dlsym = void* (*)(void*, const char*);
  static const auto real_dlsym = reinterpret_cast<Dlsym>(dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34"));
  void* const found = real_dlsym(library, name);
  if (found == nullptr || std::string_view(name) != "C_GetFunctionList") return found;
  real_get_list = reinterpret_cast<GetFunctionList>(found);
  return reinterpret_cast<void*>(&GetTimedList);
}
}
