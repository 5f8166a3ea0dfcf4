/* What OHIF is told here: our DICOMweb, who is signed in, and nothing from elsewhere. Read before OHIF itself starts. */
(() => {
  "use strict";

  const HINT = "readingroom.session"; // the page's own word that somebody is signed in (web/src/lib/session/browser.ts)
  const RENEWED_AT = 0.6; // of the cookie's life
  const TRIED_AGAIN = 15_000; // milliseconds, while the server does not answer

  let timer = 0;
  let renewing = null;

  /* DICOMweb answers a cookie that our session gives, for a few minutes at a time. It renews no session and tells no token. */
  async function asked() {
    const response = await fetch("/api/token/dicomweb/", {
      method: "POST",
      credentials: "same-origin",
      headers: { "X-Requested-With": "readingroom", "Content-Type": "application/json", Accept: "application/json" },
      body: "{}",
    });
    if (response.status === 401) toSignIn();
    if (response.status === 403) location.replace("/");
    if (response.status === 401 || response.status === 403) return new Promise(() => {}); // the page goes away
    if (!response.ok) throw new Error(`Reading Room answered ${response.status}`);
    return response.json();
  }

  function renewed() {
    renewing ??= asked().finally(() => {
      renewing = null;
    });
    return renewing;
  }

  function later(milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      renewed().then(
        ({ expiresIn }) => later(expiresIn * 1000 * RENEWED_AT),
        () => later(TRIED_AGAIN),
      );
    }, milliseconds);
  }

  function toSignIn() {
    location.replace(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  }

  /* Signed out in another tab: nothing of a patient stays on this one. */
  addEventListener("storage", (event) => {
    if (event.key === HINT && event.newValue === null) toSignIn();
  });
  /* Timers stand still while a computer sleeps. */
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && timer !== 0) later(0);
  });
  addEventListener("online", () => {
    if (timer !== 0) later(0);
  });

  const dicomweb = `${location.origin}/dicom-web`;

  window.config = async () => {
    const given = await renewed();
    later(given.expiresIn * 1000 * RENEWED_AT);
    if (!given.studyList && location.pathname.replace(/\/+$/, "") === "/ohif") location.replace("/cases");
    return {
      routerBasename: "/ohif/",
      extensions: [],
      modes: [],
      /* OHIF's tour would lie over the first study that somebody opens, and take the mouse. */
      customizationService: [{ "ohif.tours": { $set: [] } }],
      showStudyList: given.studyList,
      showWarningMessageForCrossOrigin: false, // shared memory between threads is not offered here, nor needed
      showCPUFallbackMessage: true,
      showLoadingIndicator: true,
      strictZSpacingForVolumeViewport: true,
      investigationalUseDialog: { option: "never" },
      showErrorDetails: "dev",
      maxNumberOfWebWorkers: 3,
      maxNumRequests: { interaction: 100, thumbnail: 5, prefetch: 10 },
      defaultDataSourceName: "readingroom",
      dataSources: [
        {
          namespace: "@ohif/extension-default.dataSourcesModule.dicomweb",
          sourceName: "readingroom",
          configuration: {
            friendlyName: "Reading Room",
            name: "readingroom",
            qidoRoot: dicomweb,
            wadoRoot: dicomweb,
            qidoSupportsIncludeField: true,
            supportsFuzzyMatching: false,
            supportsWildcard: true,
            supportsReject: false,
            dicomUploadEnabled: false, // the cookie is good for reading alone
            imageRendering: "wadors",
            thumbnailRendering: "wadors",
            enableStudyLazyLoad: true,
            omitQuotationForMultipartRequest: true,
            bulkDataURI: { enabled: true },
          },
        },
      ],
      httpErrorHandler: (error) => {
        if (error?.status === 401) later(0);
      },
    };
  };
})();
