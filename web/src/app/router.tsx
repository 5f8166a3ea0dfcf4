/** Which page stands at which address, and what one must be allowed to see it. Admins' pages come in chunks of their own. */
import { createBrowserRouter, Navigate } from "react-router";

import { RequireCapability, RequireSession } from "@/app/guards";
import { homeOf } from "@/app/places";
import { NotFoundPage, RouteError } from "@/app/not-found";
import { Shell } from "@/app/shell";
import { CaseListPage } from "@/features/cases/case-list-page";
import { CasePage } from "@/features/cases/case-page";
import { SelectionRoom } from "@/features/cases/selection-context";
import { SignInPage } from "@/features/session/sign-in-page";
import { useMe } from "@/lib/session/use-session";

export const router = createBrowserRouter([
  { path: "/sign-in", element: <SignInPage />, errorElement: <RouteError /> },
  {
    // For people without an account: no menu, no session.
    path: "/shared/:id?",
    errorElement: <RouteError />,
    HydrateFallback: () => null,
    lazy: async () => {
      const { LandingPage } = await import("@/features/shares/landing-page");
      return { Component: LandingPage };
    },
  },
  {
    path: "/shared/:id/view",
    errorElement: <RouteError />,
    HydrateFallback: () => null,
    lazy: async () => {
      const { SharedViewRoute } = await import("@/app/shared-view-route");
      return { Component: SharedViewRoute };
    },
  },
  {
    // Brings its own frame: none around a series. Which studies somebody may see is the server's to say.
    path: "/viewer/:studyUid/:seriesUid?",
    errorElement: <RouteError />,
    HydrateFallback: () => null,
    lazy: async () => {
      const { ViewerRoute } = await import("@/app/viewer-route");
      return { Component: ViewerRoute };
    },
  },
  {
    element: (
      <RequireSession>
        <Shell />
      </RequireSession>
    ),
    errorElement: <RouteError />,
    HydrateFallback: () => null,
    children: [
      { path: "/", element: <Home /> },
      {
        path: "/cases",
        element: (
          <RequireCapability capability="cases.read">
            <SelectionRoom />
          </RequireCapability>
        ),
        children: [
          { index: true, element: <CaseListPage /> },
          { path: ":id", element: <CasePage /> },
        ],
      },
      {
        path: "/nas",
        children: [
          {
            index: true,
            lazy: async () => {
              const { NasSearchPage } = await import("@/features/nas-index/search-page");
              return { element: guarded("index.search", <NasSearchPage />) };
            },
          },
          {
            path: "series/:key",
            lazy: async () => {
              const { NasSeriesPage } = await import("@/features/nas-index/series-page");
              return { element: guarded("index.search", <NasSeriesPage />) };
            },
          },
          {
            path: "runs/:runId",
            lazy: async () => {
              const { NasRunPage } = await import("@/features/nas-index/run-page");
              return { element: guarded("index.search", <NasRunPage />) };
            },
          },
          {
            path: "sources",
            lazy: async () => {
              const { NasSourcesPage } = await import("@/features/nas-index/sources-page");
              return { element: guarded("index.run", <NasSourcesPage />) };
            },
          },
        ],
      },
      {
        path: "/shares",
        children: [
          {
            index: true,
            lazy: async () => {
              const { SharesPage } = await import("@/features/shares/shares-page");
              return { element: guarded("share.create", <SharesPage />) };
            },
          },
          {
            path: "new",
            lazy: async () => {
              const { NewSharePage } = await import("@/features/shares/new-share-page");
              return { element: guarded("share.create", <NewSharePage />) };
            },
          },
          {
            path: "statistics",
            lazy: async () => {
              const { ShareStatisticsPage } = await import("@/features/shares/statistics-page");
              return { element: guarded("share.create", <ShareStatisticsPage />) };
            },
          },
        ],
      },
      {
        path: "/imaging",
        children: [
          {
            index: true,
            lazy: async () => {
              const { ImagingStartPage } = await import("@/features/imaging/start-page");
              return { element: guarded("imaging.read", <ImagingStartPage />) };
            },
          },
          { path: "patients", element: <Navigate to="/imaging" replace /> },
          {
            path: "patients/:patientId",
            lazy: async () => {
              const { ImagingPatientPage } = await import("@/features/imaging/patient-page");
              return { element: guarded("imaging.read", <ImagingPatientPage />) };
            },
          },
        ],
      },
      {
        path: "/admin",
        children: [
          {
            path: "cases",
            lazy: async () => {
              const { CaseAdminPage } = await import("@/features/case-admin/case-admin-page");
              return { element: guarded("cases.admin", <CaseAdminPage />) };
            },
          },
          {
            path: "imports",
            lazy: async () => {
              const { ImportsPage } = await import("@/features/imports/imports-page");
              return { element: guarded("cases.admin", <ImportsPage />) };
            },
          },
          {
            path: "imports/:runId",
            lazy: async () => {
              const { ImportPage } = await import("@/features/imports/import-page");
              return { element: guarded("cases.admin", <ImportPage />) };
            },
          },
          {
            path: "audit",
            lazy: async () => {
              const { AuditPage } = await import("@/features/audit/audit-page");
              return { element: guarded("audit.read", <AuditPage />) };
            },
          },
        ],
      },
      {
        // A study and its series bring their own frame, above; this is the way to one.
        path: "/viewer",
        lazy: async () => {
          const { ViewerStartPage } = await import("@/features/viewer/start-page");
          return { element: <ViewerStartPage /> };
        },
      },
      {
        path: "/docs",
        lazy: async () => {
          const { ApiDocsPage } = await import("@/features/api-docs/api-docs-page");
          return { element: <ApiDocsPage /> };
        },
      },
      { path: "*", element: <NotFoundPage /> },
    ],
  },
]);

/** Each begins where they have something to do. */
function Home() {
  const me = useMe();
  return me === null ? null : <Navigate to={homeOf(me)} replace />;
}

function guarded(capability: string, page: React.ReactNode) {
  return <RequireCapability capability={capability}>{page}</RequireCapability>;
}
