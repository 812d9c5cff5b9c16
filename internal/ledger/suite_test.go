package ledger

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// suite is how a ledger behaves, whichever database has it: these tests run on
// SQLite by themselves, and on PostgreSQL once more.
var suite = []func(*testing.T){
	TestFence, TestClaimsOfTheDead, TestClaimAlert, TestTextsAreStorable, TestEdition,
	TestEveryTransactionIsSigned, TestFailedTransactionSignsNothing, TestUnsigned, TestEntriesOfBeforeAreSigned, TestOtherKeyIsRefused,
	TestTreeIsAppendOnly, TestNewLog, TestChangedLogIsNotSigned, TestEndlessReason,
	TestAuditRoundTrip, TestPublishers, TestAuditIsAppendOnly, TestAuditHasNoGaps, TestCampaignRoundTrip, TestFiredIsFrozen,
	TestDropCampaign, TestFirstCampaign, TestFinish, TestKilled, TestExpand, TestExpandOfAWholeBatch,
	TestCursorMovesWithItsLetters, TestOneLetterEach, TestCountFollowers, TestImport, TestImportBrokenOff,
	TestImportTidied, TestImportMeanwhile, TestFiredBesideAnImport, TestImportReplaced,
	TestOneImportAtATime, TestClaim, TestLetterLater, TestLettersAreCountedOnce, TestWhoLeftIsPassedOver,
	TestUntilReopenIsForgotten, TestOwed, TestOwedWebhooks, TestMakeDue, TestAccept, TestSaveNotice, TestContentOwner,
	TestRefusals, TestOvertake, TestOvertakenByOneThatIsFinished, TestOvertakenInFlight, TestStorefrontRoundTrip,
	TestEndpointRoundTrip, TestNewRevisionIsOwedAtOnce, TestSameRevisionKeepsItsBackOff, TestBounces, TestBar, TestSubscriberRoundTrip,
	TestAddAndRemoveSubscriber, TestThreeFailuresSuppress, TestAlerts, TestTranslations, TestWordings,
	TestAskConfirm, TestMailsToOneAddress, TestAskedAnew, TestNothingIsSentTo, TestExpired, TestClaimPending,
	TestUpdateIsAllOrNothing, TestViewBesideAnUpdate, TestViewStaysAtItsMoment, TestViewOnlyReads,
}

// sqliteAlone are the tests of what only SQLite has: a file, and locks on it.
var sqliteAlone = []string{
	"TestLockInTheSameProcess", "TestLockOfAnotherProcess", "TestOtherProcessMeetsOurLock", "TestHolderOfNothing",
	"TestLockFileThatCannotBe", "TestOpenTwice", "TestOpenAtOnce", "TestMissing", "TestEmptyFileIsFresh",
	"TestNewerLedgerIsRefused", "TestOtherProgramsFile", "TestPrivateFromTheStart", "TestForgottenLeavesNothing", "TestEndpointOwedAndDue",
}

// TestPostgreSQL runs the suite on a real PostgreSQL server.
func TestPostgreSQL(t *testing.T) {
	for _, f := range suite {
		t.Run(strings.TrimPrefix(nameOf(f), "Test"), f)
	}
}

func nameOf(f any) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	return name[strings.LastIndexByte(name, '.')+1:]
}

// TestSuiteIsWhole: no test of the ledger is left out on PostgreSQL by mistake.
func TestSuiteIsWhole(t *testing.T) {
	var listed []string
	for _, f := range suite {
		listed = append(listed, nameOf(f))
	}
	files, _ := filepath.Glob("*_test.go")
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(t `).FindAllStringSubmatch(string(src), -1) {
			if !slices.Contains(listed, m[1]) && !slices.Contains(sqliteAlone, m[1]) && file != "suite_test.go" && file != "postgres_test.go" && file != "move_test.go" {
				t.Errorf("%s of %s is neither in the suite nor SQLite's alone", m[1], file)
			}
		}
	}
}
