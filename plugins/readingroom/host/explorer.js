/* What Orthanc Explorer's pages of a series and of a study offer of Reading Room. Runs among Explorer's own scripts (jQuery Mobile 1.1). */
(function ($) {
  'use strict';

  /* One line each; the address is that of our page, `uid` is the DICOM UID of what is shown. */
  var ACTIONS = {
    series: {
      tag: 'SeriesInstanceUID',
      resource: '/series/',
      lines: [
        { label: 'Share this series', icon: 'forward', address: function (uid) { return '/shares/new?series=' + uid; } }
      ]
    },
    study: {
      tag: 'StudyInstanceUID',
      resource: '/studies/',
      lines: [
        { label: 'Share a series of this study', icon: 'forward', address: function (uid) { return '/shares/new?study=' + uid; } }
      ]
    }
  };

  /* Asked at the click: Explorer shows another series on the same page without drawing it anew. */
  function follow(kind, line) {
    var shown = $.mobile.pageData;
    if (!shown || !shown.uuid) return;
    $.getJSON('..' + kind.resource + encodeURIComponent(shown.uuid), function (found) {
      window.location.assign(line.address(encodeURIComponent(found.MainDicomTags[kind.tag])));
    });
  }

  function listOf(kind) {
    var list = $('<ul>').attr({ 'data-role': 'listview', 'data-inset': 'true', 'data-theme': 'd', 'data-divider-theme': 'c' });
    list.append($('<li>').attr('data-role', 'list-divider').text('Reading Room'));
    $.each(kind.lines, function (_, line) {
      var link = $('<a>').attr('href', '#').text(line.label);
      link.click(function (event) {
        event.preventDefault();
        event.stopImmediatePropagation();
        follow(kind, line);
      });
      list.append($('<li>').attr('data-icon', line.icon).append(link));
    });
    return list;
  }

  $.each(ACTIONS, function (page, kind) {
    $(document).on('pagebeforecreate', '#' + page, function () {
      listOf(kind).insertBefore($('#' + page + '-delete').closest('ul'));
    });
  });
}(jQuery));
